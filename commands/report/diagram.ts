import { counted } from "../../model/values/counted";
import { diagramText } from "./escaping";
import { type Box, nodesOf, replicasEach, type Stage, shownOf, stagesOf, type Topology, type TopologyRing, zoneTitle } from "./topology";

/**
 * Characters of a diagram, its last line feed among them. GitLab draws one of so many without being asked
 * (`MAX_CHAR_LIMIT` of its render_sandboxed_mermaid.js); Mermaid itself takes 50,000, and 500 edges (`maxTextSize`,
 * `maxEdges`), for which so short a text has no room.
 */
export const LONGEST_DIAGRAM = 2_000;

/** How much of the rings is drawn, from the most to the least; what is not drawn is counted. */
const DETAILS = ["pods", "zones", "rings", "all"] as const;
type Detail = (typeof DETAILS)[number];

/**
 * The topology as a Mermaid diagram, which GitHub and GitLab draw where a comment holds it: with every receiver's
 * name, or with as much as is short enough.
 */
export function topologyDiagram(of: Topology): string {
  let text = "";
  for (const detail of DETAILS) {
    text = draw(of, detail);
    if (text.length < LONGEST_DIAGRAM) break;
  }
  return text;
}

function draw(of: Topology, detail: Detail): string {
  const stages = stagesOf(of).map(({ parts, arrow = "" }) => ({ arrow, parts: detail === "all" ? ringsCounted(parts, of) : parts }));
  // No identifier is made of a name: what is chosen outside stands in quotes only.
  const placed = stages.map(({ parts, arrow }, stage) => ({
    arrow,
    parts: parts.map((part, index) => ({ part, id: `${String.fromCharCode("a".charCodeAt(0) + stage)}${index}` })),
  }));
  const all = placed.flatMap(({ parts }) => parts);
  const ways = placed.flatMap(({ parts, arrow }, stage) =>
    parts.flatMap((from) =>
      (placed[stage + 1]?.parts ?? [])
        .filter(({ part }) => !isBox(part) || part.begins !== true)
        .map((to) => `${from.id} -->|"${diagramText(arrow)}"| ${to.id}`),
    ),
  );
  const outside = all.flatMap(({ part, id }) => (isBox(part) && part.kind === "outside" ? [id] : []));
  return [
    "flowchart LR",
    ...all.flatMap(({ part, id }) => (isBox(part) ? [node(id, part.title, part.note)] : drawRing(id, part, of, detail))),
    ...ways,
    "classDef outside stroke-dasharray:4",
    `class ${outside.join(",")} outside`,
    "classDef note fill:none,stroke:none",
  ].join("\n");
}

const isBox = (part: Box | TopologyRing): part is Box => "kind" in part;

/** All rings in one box, whatever they are. */
function ringsCounted(parts: Stage["parts"], of: Topology): Box[] {
  const boxes = parts.filter(isBox);
  const rings = parts.flatMap((part) => (isBox(part) ? [] : [part]));
  if (rings.length === 0) return boxes;
  const receivers = rings.reduce((sum, ring) => sum + receiversOf(ring), 0);
  const note = `×${receivers}, ${counted(rings.length, "hashring")}, ${replicasEach(of)}`;
  return [{ title: "Receivers", note, kind: "receiver" }, ...boxes];
}

function drawRing(id: string, ring: TopologyRing, of: Topology, detail: Detail): string[] {
  const title = `hashring ${ring.name}`;
  if (detail === "rings") return [node(id, title, `×${receiversOf(ring)}, ${counted(ring.zones.length, "zone")}`, replicasEach(of))];
  const zones = ring.zones.map(({ zone, pods }, index) =>
    node(`${id}z${index}`, zoneTitle(zone), ...(detail === "pods" ? named(pods) : [`×${pods.length}`])),
  );
  // A title of several lines is drawn over what it is the title of.
  return [
    `subgraph ${id}["${label(title)}"]`,
    "direction LR",
    ...zones,
    `${node(`${id}n`, replicasEach(of), nodesOf(ring))}:::note`,
    "end",
  ];
}

function named(pods: readonly string[]): string[] {
  const { shown, rest } = shownOf(pods);
  return [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])];
}

const receiversOf = ({ zones }: TopologyRing): number => zones.reduce((sum, { pods }) => sum + pods.length, 0);

const node = (id: string, ...lines: string[]): string => `${id}["${label(...lines)}"]`;

const label = (...lines: string[]): string => lines.map(diagramText).join("<br/>");

import { PART_OF } from "../../model/kubernetes/labels";
import { FURTHER_POLICY } from "../../model/network/edges";
import { fields, isLasting, kindOf, type PolicyResource, podOf, text } from "../../policy/resources";
import { escapeXml } from "./escaping";
import { type PodCount, podCount, times, together } from "./podCount";

/** The path of a sample, from who sends it to who asks for it. */
export interface Topology {
  /** Prometheus servers of this stack: pods that scrape the same, and shards of the targets. */
  prometheus: { replicas: number; shards: number };
  /** Routers in front of the receivers; none where receivers route. */
  routers: PodCount;
  /** Replicas of each series; 0 in the sidecar scheme. */
  replicationFactor: number;
  /** None in the sidecar scheme, where each Prometheus keeps its samples. */
  rings: TopologyRing[];
  /** Store gateways; none without a bucket. */
  storeGateways: number;
  queriers: PodCount;
  /** Query frontends; none where people ask the queriers. */
  frontends: PodCount;
  /** Connections that the environment adds to those of the path, each in words; none where it adds none. */
  further: string[];
  /** Whether writes and answers between the stack's components are encrypted. */
  encrypted: boolean;
}

/** A hashring and where its receivers are. */
export interface TopologyRing {
  name: string;
  zones: { zone?: string; pods: string[] }[];
  /** Whether its receivers never share a node. */
  separateNodes: boolean;
}

interface RingOutput {
  members: { address: string; zone?: string; hashring?: string }[];
  replicationFactor: number;
}

/** The drawn topology, from the stack's resources and outputs. Undefined for outputs of another program. */
export function topologyOf(resources: readonly PolicyResource[], outputs: Record<string, unknown>): Topology | undefined {
  const ring = outputs.ring as RingOutput | undefined;
  const prometheus = outputs.prometheus as { replicas: number; shards: number } | undefined;
  if (prometheus === undefined) return undefined;
  const rings = new Map<string, Map<string | undefined, string[]>>();
  for (const member of ring?.members ?? []) {
    const zones = rings.get(member.hashring ?? "default") ?? new Map<string | undefined, string[]>();
    zones.set(member.zone, [...(zones.get(member.zone) ?? []), member.address.split(".")[0] ?? member.address]);
    rings.set(member.hashring ?? "default", zones);
  }
  return {
    prometheus: { replicas: prometheus.replicas, shards: prometheus.shards },
    routers: replicasOf(resources, "receive-router"),
    replicationFactor: ring?.replicationFactor ?? 0,
    storeGateways: replicasOf(resources, "store-gateway").least,
    rings: [...rings].map(([name, zones]) => ({
      name,
      zones: [...zones].map(([zone, pods]) => ({ ...(zone === undefined ? {} : { zone }), pods })),
      separateNodes: resources
        .filter((resource) => isPart(resource, "receive") && [...zones.values()].flat().some((pod) => isPodOf(resource, pod)))
        .every(neverShareNodes),
    })),
    queriers: replicasOf(resources, "querier"),
    frontends: replicasOf(resources, "query-frontend"),
    further: resources.flatMap(furtherConnections),
    encrypted: resources.some(servesTls),
  };
}

interface PolicyRule {
  from?: PolicyPeer[];
  to?: PolicyPeer[];
  ports?: { port: number }[];
}
interface PolicyPeer {
  ipBlock?: { cidr: string };
  namespaceSelector?: { matchExpressions?: { values: string[] }[] };
}

/** Connections that a policy of `network.edges` opens; none of any other. */
function furtherConnections(resource: PolicyResource): string[] {
  const { name } = fields(resource.inputs, "metadata");
  if (kindOf(resource) !== "NetworkPolicy" || typeof name !== "string") return [];
  const component = new RegExp(`^(?:${PART_OF}-)?${FURTHER_POLICY}(.+)$`).exec(name)?.[1];
  if (component === undefined) return [];
  const { ingress = [], egress = [] } = fields(resource.inputs, "spec") as { ingress?: PolicyRule[]; egress?: PolicyRule[] };
  const peers = (list: PolicyPeer[] = []) =>
    list.flatMap(({ ipBlock, namespaceSelector }) => ipBlock?.cidr ?? namespaceSelector?.matchExpressions?.[0]?.values ?? []).join(", ");
  const port = ({ ports = [] }: PolicyRule) => ports.map((each) => each.port).join(", ");
  return [
    ...ingress.map((rule) => `${peers(rule.from)} → ${component}, port ${port(rule)}`),
    ...egress.map((rule) => `${component} → ${peers(rule.to)}, port ${port(rule)}`),
  ];
}

function isPart(resource: PolicyResource, component: string): boolean {
  return podOf(resource)?.labels["app.kubernetes.io/component"] === component && isLasting(resource);
}

/** Whether a pod is a StatefulSet's: its name is the set's with a number behind it. */
function isPodOf(resource: PolicyResource, pod: string): boolean {
  return text(fields(resource.inputs, "metadata"), "name") === pod.replace(/-\d+$/, "");
}

function replicasOf(resources: readonly PolicyResource[], component: string): PodCount {
  return together(resources.filter((resource) => isPart(resource, component)).map((resource) => podCount(resource, resources)));
}

function neverShareNodes(resource: PolicyResource): boolean {
  const affinity = fields(fields(podOf(resource)?.spec, "affinity"), "podAntiAffinity");
  return Array.isArray(affinity.requiredDuringSchedulingIgnoredDuringExecution);
}

/** Whether a component takes connections by TLS alone. */
function servesTls(resource: PolicyResource): boolean {
  const { containers } = podOf(resource)?.spec ?? {};
  return Array.isArray(containers) && JSON.stringify(containers).includes("--grpc-server-tls-cert=");
}

/** The topology in one line of text. */
export function topologyLine(of: Topology): string {
  const pods = of.prometheus.replicas * of.prometheus.shards;
  const rings = of.rings.map((ring) => {
    const zones = ring.zones.map(({ zone, pods: members }) => `${zone === undefined ? "" : `${zone} `}×${members.length}`).join(", ");
    return `receivers ${of.rings.length > 1 ? `of ${ring.name} ` : ""}${zones}`;
  });
  const history = of.storeGateways > 0 ? [`store gateways ×${of.storeGateways} over a bucket`] : [];
  const sources =
    of.rings.length === 0
      ? [[`Prometheus ×${pods} with sidecars`, ...history].join(" and ")]
      : [
          `Prometheus ×${pods}`,
          ...(of.routers.least > 0 ? [`routers ${times(of.routers)}`] : []),
          [`${rings.join("; ")} (${replicasEach(of)})`, ...history].join(" and "),
        ];
  const line = [
    ...sources,
    `queriers ${times(of.queriers)}`,
    ...(of.frontends.least > 0 ? [`query frontends ${times(of.frontends)}`] : []),
  ].join(" → ");
  return of.encrypted ? `${line}; by TLS as far as the queriers` : line;
}

/** The connections that the environment adds, in one line of text; none where it adds none. */
export const furtherLine = ({ further }: Topology): string[] =>
  further.length === 0 ? [] : [`Further connections, by network.edges: ${further.join("; ")}`];

/** A box of a picture. */
export interface Box {
  title: string;
  note: string;
  /** Form in which it is drawn. */
  kind: "sender" | "outside" | "router" | "receiver" | "query";
  /** Whether it gets nothing from the stage before. Default: it does. */
  begins?: boolean;
}

/** Boxes side by side in a picture, and the word on the way to the next stage; none after the last. */
export interface Stage {
  parts: (Box | TopologyRing)[];
  arrow?: string;
}

/** The stages of the path, in every form of picture. */
export function stagesOf(of: Topology): Stage[] {
  const pods = of.prometheus.replicas * of.prometheus.shards;
  const scrapers = `×${pods}${of.prometheus.shards > 1 ? `, ${of.prometheus.shards} shards` : ""}`;
  const history: Box[] =
    of.storeGateways > 0 ? [{ title: "Store gateways", note: `×${of.storeGateways}, a bucket`, kind: "receiver", begins: true }] : [];
  const way = (name: string) => (of.encrypted ? `${name}, TLS` : name);
  const sources: Stage[] =
    of.rings.length === 0
      ? [{ parts: [{ title: "Prometheus, sidecars", note: scrapers, kind: "sender" }, ...history], arrow: way("StoreAPI") }]
      : [
          {
            parts: [
              { title: "Prometheus", note: scrapers, kind: "sender" },
              { title: "Other senders", note: "of app stacks", kind: "outside" },
            ],
            arrow: way("remote write"),
          },
          ...(of.routers.least > 0
            ? [
                {
                  parts: [{ title: "Routers", note: times(of.routers), kind: "router" as const }],
                  arrow: way(`×${of.replicationFactor}`),
                },
              ]
            : []),
          { parts: [...of.rings, ...history], arrow: way("StoreAPI") },
        ];
  return [
    ...sources,
    { parts: [{ title: "Queriers", note: times(of.queriers), kind: "query" }], arrow: of.frontends.least > 0 ? "PromQL" : "queries" },
    ...(of.frontends.least > 0
      ? [{ parts: [{ title: "Query frontends", note: times(of.frontends), kind: "query" as const }], arrow: "queries" }]
      : []),
    { parts: [{ title: "People", note: "dashboards, alerts", kind: "outside" }] },
  ];
}

/** How many receivers hold each series. */
export const replicasEach = ({ replicationFactor: copies }: Topology): string =>
  `${copies} ${copies === 1 ? "replica" : "replicas"} of each series`;

/** Whether receivers share nodes. */
export const nodesOf = ({ separateNodes }: TopologyRing): string => (separateNodes ? "never two on a node" : "several may share a node");

/** Receivers drawn one by one in a zone; further ones are counted. */
const MOST_PODS = 6;

/** The receivers of a zone that a picture names, and how many it only counts. */
export function shownOf(pods: readonly string[]): { shown: readonly string[]; rest: number } {
  const shown = pods.length > MOST_PODS ? pods.slice(0, MOST_PODS - 1) : pods;
  return { shown, rest: pods.length - shown.length };
}

/** How a picture names a zone. */
export const zoneTitle = (zone: string | undefined): string => (zone === undefined ? "no zones" : `zone ${zone}`);

const BOX = { width: 132, height: 46, gap: 12 };
const COLUMN_GAP = 84;
const POD = { width: 188, height: 26, gap: 6 };
const PADDING = 12;
const TITLE = 22;

interface Drawn {
  svg: string;
  width: number;
  height: number;
}

/** The topology as a picture that fits light and dark surroundings, to stand in a page or in a file of its own. */
export function topologySvg(of: Topology): string {
  const columns = stagesOf(of).map(({ parts, arrow }) => ({
    drawn: stack(parts.map((part) => ("kind" in part ? box(part) : drawRing(part, of)))),
    arrow,
  }));
  const height = Math.max(...columns.map(({ drawn }) => drawn.height)) + 2 * PADDING;
  let x = PADDING;
  const parts: string[] = [];
  for (const { drawn, arrow } of columns) {
    parts.push(`<g transform="translate(${x} ${(height - drawn.height) / 2})">${drawn.svg}</g>`);
    x += drawn.width;
    if (arrow === undefined) continue;
    const middle = height / 2;
    parts.push(
      `<path class="arrow" d="M${x + 6} ${middle}H${x + COLUMN_GAP - 12}" marker-end="url(#topology-head)"/>` +
        `<text class="label" x="${x + COLUMN_GAP / 2 - 2}" y="${middle - 8}">${escapeXml(arrow)}</text>`,
    );
    x += COLUMN_GAP;
  }
  const width = x + PADDING;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="topology" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" ` +
    `aria-label="${escapeXml(topologyLine(of))}"><style>${STYLE}</style>` +
    `<defs><marker id="topology-head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto">` +
    `<path class="head" d="M0 0L8 4L0 8Z"/></marker></defs>${parts.join("")}</svg>`
  );
}

const STYLE = [
  ".topology{font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;max-width:100%;height:auto;--ink:#1b2430;--soft:#5b6675;--line:#8b96a5;",
  "--ring:#f4f6f9;--zone:#e6ebf2;--box:#fff;--sender:#dceafd;--router:#e8e2fb;--receiver:#d8f0e3;--query:#fdebcf}",
  "@media (prefers-color-scheme:dark){.topology{--ink:#e8edf4;--soft:#a9b4c2;--line:#74808f;--ring:#171d26;--zone:#202936;--box:#10151c;",
  "--sender:#1d3a5f;--router:#382f63;--receiver:#1d4a37;--query:#57401a}}",
  ".topology rect{stroke:var(--line);stroke-width:1;fill:var(--box)}.topology .ring{fill:var(--ring)}.topology .zone{fill:var(--zone);stroke:none}",
  ".topology .sender{fill:var(--sender)}.topology .router{fill:var(--router)}.topology .receiver{fill:var(--receiver)}.topology .query{fill:var(--query)}",
  ".topology .outside{stroke-dasharray:4 3}.topology text{fill:var(--ink);text-anchor:middle}.topology .name{font-weight:600}",
  ".topology .label,.topology .note{fill:var(--soft);font-size:11px}.topology .start{text-anchor:start}",
  ".topology .arrow{stroke:var(--line);stroke-width:1.5;fill:none}.topology .head{fill:var(--line)}",
].join("");

function box({ title, note, kind }: Box): Drawn {
  const { width, height } = BOX;
  return {
    width,
    height,
    svg:
      `<rect class="${kind}" width="${width}" height="${height}" rx="6"/><text class="name" x="${width / 2}" y="20">${escapeXml(title)}</text>` +
      `<text class="note" x="${width / 2}" y="36">${escapeXml(note)}</text>`,
  };
}

function stack(items: Drawn[]): Drawn {
  const width = Math.max(...items.map((item) => item.width));
  let y = 0;
  const svg = items.map((item) => {
    const placed = `<g transform="translate(${(width - item.width) / 2} ${y})">${item.svg}</g>`;
    y += item.height + BOX.gap;
    return placed;
  });
  return { svg: svg.join(""), width, height: y - BOX.gap };
}

function drawRing(ring: TopologyRing, of: Topology): Drawn {
  const zones = stack(ring.zones.map(drawZone));
  const title = `hashring ${ring.name}`;
  const lines = [replicasEach(of), nodesOf(ring)];
  const width = Math.max(zones.width + 2 * PADDING, 210);
  const head = TITLE + 8;
  const height = head + zones.height + lines.length * 16 + PADDING;
  return {
    width,
    height,
    svg:
      `<rect class="ring" width="${width}" height="${height}" rx="8"/><text class="name" x="${width / 2}" y="20">${escapeXml(title)}</text>` +
      `<g transform="translate(${(width - zones.width) / 2} ${head})">${zones.svg}</g>` +
      lines
        .map((line, index) => `<text class="note" x="${width / 2}" y="${head + zones.height + 16 + index * 16}">${escapeXml(line)}</text>`)
        .join(""),
  };
}

function drawZone({ zone, pods }: TopologyRing["zones"][number]): Drawn {
  const { shown, rest } = shownOf(pods);
  const boxes = [...shown.map((pod) => podBox(pod, "receiver")), ...(rest > 0 ? [podBox(`and ${rest} more`, "outside")] : [])].map(
    ({ svg }, index) => `<g transform="translate(${PADDING / 2} ${TITLE + index * (POD.height + POD.gap)})">${svg}</g>`,
  );
  const width = POD.width + PADDING;
  const height = TITLE + boxes.length * (POD.height + POD.gap);
  return {
    width,
    height,
    svg:
      `<rect class="zone" width="${width}" height="${height}" rx="6"/>` +
      `<text class="note start" x="${PADDING / 2 + 2}" y="15">${escapeXml(zoneTitle(zone))}</text>${boxes.join("")}`,
  };
}

/** Characters of a name that a box of a pod holds. */
const LONGEST_NAME = 27;

function podBox(name: string, kind: string): Drawn {
  const { width, height } = POD;
  const shown = name.length > LONGEST_NAME ? `…${name.slice(1 - LONGEST_NAME)}` : name;
  return {
    width,
    height,
    svg: `<rect class="${kind}" width="${width}" height="${height}" rx="5"/><text x="${width / 2}" y="17">${escapeXml(shown)}</text>`,
  };
}

import { openPorts, runningComponents, type SetComponent } from "../kubernetes/components";
import { isEverybody } from "../settings/access";
import { ACCEPTABLE_RISKS, type Settings } from "../settings/schema";
import type { Problem } from "../values/problem";

/** Connections that an environment adds to those of the data path, against what there is to connect to. */

/** Every port of a component's pods that somebody can connect to. */
function listened(component: SetComponent, settings: Settings): number[] {
  const { containers = [], initContainers = [] } = component.own.extra ?? {};
  const beside = [...containers, ...initContainers].flatMap(({ ports = [] }) =>
    ports.flatMap(({ containerPort, protocol = "TCP" }) => (protocol === "TCP" ? [containerPort] : [])),
  );
  return [...new Set([...openPorts(component, settings), ...beside])];
}

/** Every problem of `network.edges`. */
export function furtherEdgeProblems(settings: Settings): Problem[] {
  const running = runningComponents(settings);
  return settings.network.edges.flatMap(({ component, from, ports }, index): Problem[] => {
    const key = `network.edges[${index}]`;
    const found = running.find(({ name }) => name === component);
    if (found === undefined) {
      const rule = "this environment has no such component, so the policy would select no pod";
      return [{ key: `${key}.component`, value: component, rule, remedy: `one of ${running.map(({ name }) => name).join(", ")}` }];
    }
    if (from === undefined) return [];
    const known = listened(found, settings);
    return [
      ...ports.flatMap((port, at) =>
        known.includes(port)
          ? []
          : [
              {
                key: `${key}.ports[${at}]`,
                value: port,
                rule: `no container of ${component} listens there beyond its pod`,
                remedy: `one of ${known.join(", ")}, or a port of a container in its extra`,
              },
            ],
      ),
      ...from.flatMap((entry, at) =>
        isEverybody(entry) && !settings.accepts.includes("open-doors")
          ? [
              {
                key: `${key}.from[${at}]`,
                value: entry,
                rule: ACCEPTABLE_RISKS["open-doors"],
                remedy: 'narrower networks, or "open-doors" in accepts',
              },
            ]
          : [],
      ),
    ];
  });
}

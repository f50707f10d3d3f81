import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { Problem } from "../values/problem";

/** A load that the settings have no place for. */
export function loadProblems(settings: Settings): Problem[] {
  const { load } = settings;
  if (load === undefined) return [];
  const receive = receiveOf(settings);
  const rings = receive?.hashrings.map(({ name }) => name) ?? [];
  const unknown = Object.keys(load.hashrings)
    .filter((name) => !rings.includes(name))
    .map((name) => ({
      key: `load.hashrings.${name}`,
      value: load.hashrings[name]?.series,
      rule: "no ring of receive.hashrings has this name, so that nobody would take these series",
      remedy: rings.length === 0 ? "no entry: there are no rings but the default" : `names of rings: ${rings.join(", ")}`,
    }));
  const elsewhere = Object.values(load.hashrings).reduce((sum, { series }) => sum + series, 0);
  const most = load.series - elsewhere;
  if (most < 0) {
    return [
      ...unknown,
      {
        key: "load.series",
        value: load.series,
        rule: "series of load.hashrings are among these",
        remedy: `${elsewhere} or more, or fewer in load.hashrings`,
      },
    ];
  }
  const { scraped } = load;
  if (scraped === undefined) return unknown;
  if (receive === undefined && scraped !== load.series)
    return [
      ...unknown,
      {
        key: "load.scraped",
        value: scraped,
        rule: "beside sidecars nobody but the stack's own Prometheus has series",
        remedy: "the key left out, which is all of load.series",
      },
    ];
  return scraped <= most
    ? unknown
    : [
        ...unknown,
        {
          key: "load.scraped",
          value: scraped,
          rule: "what the stack's own Prometheus scrapes is among load.series, and not in load.hashrings",
          remedy: `at most ${most}`,
        },
      ];
}

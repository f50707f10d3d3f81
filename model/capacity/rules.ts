import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { Problem } from "../values/problem";
import { durationSeconds } from "../values/quantity";
import { HOUR } from "./coefficients";
import { newSeriesPerHour } from "./load";

type LoadSettings = NonNullable<Settings["load"]>;

/** A load that the settings have no place for, or that contradicts itself. */
export function loadProblems(settings: Settings): Problem[] {
  const { load } = settings;
  return load === undefined ? [] : [...seriesProblems(settings, load), ...tenantsProblems(settings, load), ...querySeriesProblems(load)];
}

/** All that the stack's own Prometheus and rulers write is the default tenant's, unless a label of its series names another one. */
function tenantsProblems(settings: Settings, { tenants, hashrings }: LoadSettings): Problem[] {
  const receive = receiveOf(settings);
  const isOnlyOwn = receive === undefined || (receive.otherSenders === "none" && Object.keys(hashrings).length === 0);
  if (tenants === 1 || !isOnlyOwn || (receive !== undefined && settings.tenancy.splitLabel !== undefined)) return [];
  return [
    receive === undefined
      ? { key: "load.tenants", value: tenants, rule: "blocks of sidecars have no tenants", remedy: "1, or the key left out" }
      : {
          key: "load.tenants",
          value: tenants,
          rule: `all that the stack's own Prometheus writes is one tenant's (tenancy.defaultTenant, ${JSON.stringify(settings.tenancy.defaultTenant)}), and nobody else writes (receive.otherSenders)`,
          remedy: "1, single or pairs in receive.otherSenders, series of other rings in load.hashrings, or tenancy.splitLabel",
        },
  ];
}

/** A query reads what is active, and what has come and gone within its range. */
function querySeriesProblems(load: LoadSettings): Problem[] {
  const { series, range } = load.queries;
  const most = Math.floor(load.series + (newSeriesPerHour(load) * durationSeconds(range)) / HOUR);
  if (series === undefined || series <= most) return [];
  return [
    {
      key: "load.queries.series",
      value: series,
      rule: `no query reads more series than there are within its range: load.series, and new ones (load.newSeriesPerHour) for ${range} (load.queries.range)`,
      remedy: `at most ${most}, or a larger load.series`,
    },
  ];
}

function seriesProblems(settings: Settings, load: LoadSettings): Problem[] {
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

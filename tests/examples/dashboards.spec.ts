import assert from "node:assert/strict";
import { dashboards, expand, labelValues, type Panel, queriesOf, variableQuery } from "./dashboards";

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own syntax.
const CHOSEN = "${datasource}";
const VALUES = { cluster: "dev", namespace: "thanos-dev", app: "greeter" };
/** The JSON model that Grafana 12 and 13 read without migrating it. */
const SCHEMA_VERSION = 41;

const overlap = (a: Panel["gridPos"], b: Panel["gridPos"]) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

describe("dashboards", () => {
  const all = [...dashboards()];

  it("are one of the platform and one of the application, each with an identity of its own", () => {
    assert.deepEqual(all.map(([, { uid }]) => uid).sort(), ["thanos-app", "thanos-stack"]);
    for (const [file, { schemaVersion, title }] of all) {
      assert.ok(schemaVersion >= SCHEMA_VERSION, file);
      assert.notEqual(title, "", file);
    }
  });

  for (const [file, dashboard] of all) {
    describe(file, () => {
      const names = dashboard.templating.list.map((variable) => variable.name);

      it("says what each panel shows, and asks the chosen data source", () => {
        for (const panel of dashboard.panels.filter((each) => each.type !== "row")) {
          assert.ok((panel.description ?? "").length > 5, panel.title);
          assert.equal(panel.datasource?.uid, CHOSEN, panel.title);
          assert.ok((panel.targets ?? []).length > 0, panel.title);
          for (const target of panel.targets ?? []) assert.equal(target.datasource.uid, CHOSEN, panel.title);
        }
      });

      it("places its panels beside each other", () => {
        const ids = dashboard.panels.map((panel) => panel.id);
        assert.equal(new Set(ids).size, ids.length);
        for (const [index, one] of dashboard.panels.entries()) {
          assert.ok(one.gridPos.x + one.gridPos.w <= 24, one.title);
          for (const other of dashboard.panels.slice(index + 1))
            assert.ok(!overlap(one.gridPos, other.gridPos), `${one.title}, ${other.title}`);
        }
      });

      it("uses the variables that it has, each of them, and no cluster or namespace by name", () => {
        const queries = dashboard.panels.flatMap((panel) => (panel.targets ?? []).map((target) => target.expr));
        const texts = [...queries, ...dashboard.templating.list.map(variableQuery)];
        for (const query of queries) {
          assert.doesNotThrow(() => expand(query, VALUES), query);
          assert.doesNotMatch(query, /thanos-(dev|prod)|cluster="(dev|prod)"/);
        }
        for (const name of names.filter((each) => each !== "datasource"))
          assert.ok(
            texts.some((text) => text.includes(`$${name}`)),
            name,
          );
        for (const variable of dashboard.templating.list.filter((each) => each.type === "query")) labelValues(variableQuery(variable));
      });

      it("confines every query that reads series to one cluster", () => {
        for (const { where, expr } of queriesOf(dashboard, VALUES)) {
          const selectors = expr.match(/\b[a-z_]+\{[^}]*\}/g) ?? [];
          if (where !== "variable cluster") assert.ok(selectors.length > 0, `${where}: ${expr}`);
          for (const selector of selectors) if (where !== "variable cluster") assert.match(selector, /cluster="dev"/, where);
        }
      });

      it("takes rates over Grafana's interval or five minutes, never over less than two scrapes", () => {
        for (const panel of dashboard.panels) {
          for (const { expr } of panel.targets ?? []) {
            for (const [, range] of expr.matchAll(/\[([^\]]+)\]/g)) assert.ok(["$__rate_interval", "5m"].includes(range ?? ""), expr);
          }
        }
      });
    });
  }
});

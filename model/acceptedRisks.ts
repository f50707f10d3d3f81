import { furtherEdgeProblems } from "./network/further";
import { accessProblems } from "./network/rules";
import { ringProblemsOf } from "./ring/rules";
import type { AcceptableRisk, Settings } from "./settings/schema";
import { receiveOf } from "./settings/scheme";
import { unlimitedProblems } from "./settings/unlimited";
import { plainCacheProblems } from "./tls/cacheRules";
import type { Problem } from "./values/problem";

const ofRings = (settings: Settings): Problem[] => {
  const receive = receiveOf(settings);
  return receive === undefined ? [] : ringProblemsOf(receive, settings);
};

/** Rules that a risk silences. The other risks are of one update, or of what is found in the cluster. */
const SILENCED: Partial<Record<AcceptableRisk, (settings: Settings) => Problem[]>> = {
  "data-loss": ofRings,
  "one-copy-acknowledgement": ofRings,
  "replicas-on-one-node": ofRings,
  "open-doors": (settings) => [...accessProblems(settings), ...furtherEdgeProblems(settings)],
  "no-limit": unlimitedProblems,
  "plain-caches": plainCacheProblems,
};

/** Risks in `accepts` that nothing of the plan takes: they would accept, without a review, what takes them later. */
export function unneededRisks(settings: Settings): string[] {
  return settings.accepts
    .filter((risk) => {
      const rules = SILENCED[risk];
      if (rules === undefined) return false;
      const without = { ...settings, accepts: settings.accepts.filter((each) => each !== risk) };
      return !rules(without).some(({ remedy }) => remedy.includes(`"${risk}" in accepts`));
    })
    .map(
      (risk) =>
        `accepts has "${risk}", a risk that nothing here takes: left out, whatever takes it later is refused until somebody accepts it`,
    );
}

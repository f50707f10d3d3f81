import { extensibleContainers } from "../commandLine/extensibleContainers";
import type { Program } from "../commandLine/ownFlags";
import { evaluatesRules } from "../prometheus/config";
import type { PodComponent } from "../settings/components";
import { CREDENTIALS_DIRECTORY } from "../settings/credentials";
import type { Settings } from "../settings/schema";
import { textsIn } from "../values/textsIn";

/** Who names which credential, by the path of its file. */

/** Components that can have credentials as files. */
export const USERS = ["prometheus", "ruler"] as const satisfies readonly PodComponent[];

/** A component that can have credentials as files. */
export type CredentialUser = (typeof USERS)[number];

/** A place that names a file of the directory of credentials. */
export interface CredentialUse {
  /** Key of the place, such as `prometheus.scrapeConfigs[0].basic_auth.password_file`. */
  key: string;
  /** The whole text there. */
  value: string;
  /** Rest of the path behind the directory; a credential's name where the path is right. */
  name: string;
  /** Who reads the file; nobody where what the place is part of is not in effect. */
  readers: readonly CredentialUser[];
  /** Whether whoever reads the place can have such files at all. */
  canRead: boolean;
}

/** A path of the directory, alone, as a URL of a file or as the value of a flag. */
const PATH = new RegExp(`^(?:--?[\\w.-]+=)?(?:file://)?${CREDENTIALS_DIRECTORY}(?:/(.*))?$`, "s");
/** Such paths within a longer text, such as a variable of several settings. */
const WITHIN = new RegExp(`(?:^|file://|[^\\w./-])${CREDENTIALS_DIRECTORY}/([A-Za-z0-9][A-Za-z0-9._-]*)`, "g");
/** A credential's name behind the directory, in any text. */
const NAMED = new RegExp(`${CREDENTIALS_DIRECTORY}/([A-Za-z0-9][A-Za-z0-9._-]*)`, "g");

/** Every place that names a file of the directory. */
export function credentialUses(settings: Settings): CredentialUse[] {
  const { prometheus, alerting, ruler } = settings;
  const sender = ruler !== undefined ? "ruler" : evaluatesRules(settings) ? "prometheus" : undefined;
  const places: [string, unknown, CredentialUser | undefined][] = [
    ["prometheus.scrapeConfigs", prometheus.scrapeConfigs, "prometheus"],
    ...prometheus.remoteWrite.otherTargets.map(({ client }, index): [string, unknown, CredentialUser] => [
      `prometheus.remoteWrite.otherTargets[${index}].client`,
      client,
      "prometheus",
    ]),
    ["alerting.client", alerting.client, alerting.alertmanagers.length === 0 ? undefined : sender],
  ];
  const ofExtra = extensibleContainers(settings).flatMap(({ key, program, extra, inEffect }) => {
    const user = USERS.find((each) => program === PROGRAMS[each]);
    const texts = [
      ...textsIn(extra.args, `${key}extra.args`),
      ...(extra.env ?? []).flatMap(({ value }, index) => textsIn(value, `${key}extra.env[${index}].value`)),
    ];
    return texts.flatMap(([at, text]) => usesWithin(at, text, inEffect ? user : undefined, user !== undefined));
  });
  return [
    ...places.flatMap(([key, value, reader]) => textsIn(value, key).flatMap(([at, text]) => usesOf(at, text, reader, true))),
    ...ofExtra,
  ];
}

/** Programs whose containers have the files: not the sidecar's, beside Prometheus. */
const PROGRAMS: Readonly<Record<CredentialUser, Program>> = { prometheus: "prometheus", ruler: "thanos rule" };

function usesOf(key: string, value: string, reader: CredentialUser | undefined, canRead: boolean): CredentialUse[] {
  const found = PATH.exec(value);
  return found === null ? [] : [{ key, value, name: found[1] ?? "", readers: reader === undefined ? [] : [reader], canRead }];
}

/** Every path of a flag or a variable, which may hold several. */
function usesWithin(key: string, value: string, reader: CredentialUser | undefined, canRead: boolean): CredentialUse[] {
  const whole = usesOf(key, value, reader, canRead);
  if (whole.length > 0) return whole;
  const readers = reader === undefined ? [] : [reader];
  return [...value.matchAll(WITHIN)].map(([, name = ""]) => ({ key, value, name, readers, canRead }));
}

/** Names of the credentials that a component reads, each once, in order. */
export function credentialsReadBy(uses: readonly CredentialUse[], user: CredentialUser): string[] {
  const names = uses.flatMap(({ name, readers }) => (readers.includes(user) ? [name] : []));
  return [...new Set(names)].sort();
}

/**
 * The same text for every credential that a configuration of any form names, where nobody can read its own.
 *
 * @param existing Those of Secrets that exist, by name, which need none.
 */
export function credentialStandIns(config: unknown, existing: object, text: string): Record<string, string> {
  const names = credentialNamesIn(config).filter((name) => !Object.hasOwn(existing, name));
  return Object.fromEntries(names.map((name) => [name, text]));
}

/** Every name that a configuration of any form names by the path of its file, each once. */
export function credentialNamesIn(config: unknown): string[] {
  const found = [...(JSON.stringify(config) ?? "").matchAll(NAMED)].flatMap(([, name]) => name ?? []);
  return [...new Set(found)].sort();
}

import { CAPACITY_RULES_FILE } from "./capacity/alerts";
import { gatewayMaps } from "./gateway/maps";
import { choicesFor, choosers } from "./kubernetes/choices";
import { planStack } from "./plan";
import { evaluatesRules, prometheusConfig } from "./prometheus/config";
import { endpointsFile } from "./query/endpoints";
import { receiveLimitsFile } from "./ring/limits";
import { HASHRINGS_CONFIG_MAP, LIMITS_CONFIG_MAP, ringOf } from "./ring/plan";
import { gatewayReaders, gatewayTenants } from "./settings/gatewayEndpoints";
import type { Settings } from "./settings/schema";
import { EXPIRY_RULES_FILE } from "./tls/expiry";
import { thanosYaml } from "./values/literal";
import type { Problem } from "./values/problem";

/**
 * Objects made of free text that the API server would refuse in the middle of an update, because of their size or their keys.
 * Source: Kubernetes 1.36 pkg/apis/core/validation `ValidateConfigMap`, apimachinery api/validation `ValidateAnnotations`, util/validation.
 */

/** Most bytes of the values of a ConfigMap or Secret; their keys are not counted (`MaxSecretSize`). */
const MOST_BYTES = 1_048_576;
/** Room for annotations that nobody chose: a restart's time, a Deployment's revision, what the engine is told. */
const OWN_ANNOTATION_BYTES = 4_096;
/** Most bytes of an object's annotations that somebody chose, keys and values (`TotalAnnotationSizeLimitB`). */
const MOST_ANNOTATION_BYTES = 262_144 - OWN_ANNOTATION_BYTES;

const bytesOf = (text: string): number => Buffer.byteLength(text, "utf8");
const inKiB = (bytes: number): string => `${Math.ceil(bytes / 1_024)} KiB`;

function tooLarge(key: string, texts: readonly string[], remedy: string, kind = "ConfigMap"): Problem[] {
  const bytes = texts.reduce((sum, text) => sum + bytesOf(text), 0);
  return bytes <= MOST_BYTES
    ? []
    : [
        {
          key,
          value: inKiB(bytes),
          rule: `it is kept in one ${kind}, of which Kubernetes takes ${inKiB(MOST_BYTES)}`,
          remedy: `at most ${MOST_BYTES} bytes: ${remedy}`,
        },
      ];
}

const FILE_NAME = /^[-._a-zA-Z0-9]{1,253}$/;

function ruleFileNames(rules: Readonly<Record<string, string>>): Problem[] {
  return Object.keys(rules)
    .filter((name) => !FILE_NAME.test(name) || name.startsWith(".."))
    .map((name) => ({
      key: "prometheus.ruleFolder",
      value: name,
      rule: "the file is a key of a ConfigMap, which Kubernetes would refuse",
      remedy: "a name of at most 253 letters, digits, -, _ and ., without .. at its beginning",
    }));
}

/** Files of rules under names of the program's own, which would take their places. */
function ownRuleFiles({ tls, load }: Settings, rules: Readonly<Record<string, string>>): Problem[] {
  const own = [
    {
      file: EXPIRY_RULES_FILE,
      written: tls !== undefined,
      what: "with tls the program writes a file of this name, with the alert of certificates that end",
    },
    {
      file: CAPACITY_RULES_FILE,
      written: load !== undefined,
      what: "with load the program writes a file of this name, with the alerts before a limit",
    },
  ];
  return own
    .filter(({ file, written }) => written && Object.hasOwn(rules, file))
    .map(({ file, what }) => ({ key: "prometheus.ruleFolder", value: file, rule: what, remedy: "another name" }));
}

/** The gateway's maps as large as they will be: of tokens they hold hashes, which have one length. */
function mapsOfSize(settings: Settings): Record<string, string> {
  const two = (holders: readonly (readonly [string, unknown])[]) => Object.fromEntries(holders.map(([name]) => [name, ["", ""]]));
  const tenants = gatewayTenants(settings).filter(([, { token }]) => token);
  return gatewayMaps(settings, { tenants: two(tenants), readers: two(gatewayReaders(settings)) });
}

function tooManyAnnotations(key: string, annotations: Readonly<Record<string, string>>): Problem[] {
  const bytes = Object.entries(annotations).reduce((sum, [name, value]) => sum + bytesOf(name) + bytesOf(value), 0);
  return bytes <= MOST_ANNOTATION_BYTES
    ? []
    : [
        {
          key,
          value: inKiB(bytes),
          rule: `an object has at most ${inKiB(MOST_ANNOTATION_BYTES + OWN_ANNOTATION_BYTES)} of annotations, of which ${inKiB(OWN_ANNOTATION_BYTES)} are for those of the stack and of Kubernetes`,
          remedy: `at most ${MOST_ANNOTATION_BYTES} bytes, names and values, of the whole stack's and the component's together`,
        },
      ];
}

/** Annotations of every object for which somebody chose some: the whole stack's, with a component's own over them. */
function chosenAnnotations(settings: Settings): Problem[] {
  const { objectStorage, namespaceMetadata } = settings;
  const ofBucket = objectStorage?.serviceAccountAnnotations ?? {};
  const ofObjects = choosers(settings).flatMap((chooser) => {
    const { pods, services } = choicesFor(settings, chooser);
    return [
      ...(chooser.pods?.annotations ? tooManyAnnotations(`${chooser.key}pods.annotations`, pods.annotations) : []),
      ...(chooser.services?.annotations ? tooManyAnnotations(`${chooser.key}services.annotations`, services.annotations) : []),
      ...(chooser.pods?.serviceAccountAnnotations
        ? tooManyAnnotations(`${chooser.key}pods.serviceAccountAnnotations`, { ...ofBucket, ...pods.serviceAccountAnnotations })
        : []),
    ];
  });
  return [
    ...tooManyAnnotations("objectStorage.serviceAccountAnnotations", ofBucket),
    ...tooManyAnnotations("prometheus.serviceAccountAnnotations", settings.prometheus.serviceAccountAnnotations),
    ...tooManyAnnotations("namespaceMetadata.annotations", namespaceMetadata.annotations ?? {}),
    ...ofObjects,
  ];
}

/**
 * Every object of an environment that Kubernetes would refuse for its size or its keys; empty where there is none.
 *
 * @param settings Settings that break no other rule.
 * @param rules Rule files by name.
 */
export function objectProblems(settings: Settings, rules: Readonly<Record<string, string>>): Problem[] {
  const plan = planStack(settings);
  const { prometheus } = settings;
  const { addresses, retention } = plan;
  const ring = ringOf(plan.scheme);
  const ruled = settings.ruler !== undefined || evaluatesRules(settings);
  return [
    ...ruleFileNames(rules),
    ...ownRuleFiles(settings, rules),
    ...(ruled ? tooLarge("prometheus.ruleFolder", Object.values(rules), "fewer rules, or several environments") : []),
    ...tooLarge(
      prometheus.scrapeConfigs.length > 0 ? "prometheus.scrapeConfigs" : "prometheus.remoteWrite",
      [prometheusConfig(settings, { shard: 0, remoteWriteUrl: addresses.remoteWriteUrl, retention: retention.prometheus })],
      "fewer jobs, with targets that are discovered instead of written down",
    ),
    ...(ring === undefined
      ? []
      : [
          ...tooLarge(
            "receive.limits.tenants",
            [receiveLimitsFile(ring.settings, settings, addresses.querierUrl)],
            `fewer tenants in ${LIMITS_CONFIG_MAP}`,
          ),
          ...tooLarge("receive.hashrings", [ring.hashringsFile], `fewer tenants and receivers in ${HASHRINGS_CONFIG_MAP}`),
          ...tooLarge("receive.relabel", [thanosYaml(ring.settings.relabel)], "fewer rules"),
        ]),
    ...(settings.gateway === undefined
      ? []
      : tooLarge("gateway.tenants", Object.values(mapsOfSize(settings)), "fewer tenants, readers and names of certificates", "Secret")),
    ...tooLarge("querier.endpoints", [endpointsFile(settings, addresses.stores)], "fewer addresses"),
    ...chosenAnnotations(settings),
  ];
}

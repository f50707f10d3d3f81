import { credentialsIn, credentialsInValue } from "../model/values/credentials";
import { type Container, containersOf, fields, type Handler, list, type Pod, text } from "./resources";

/** Every likely credential in plain text in a pod, as sentences that say where it belongs. */
export function credentialViolations(pod: Pod): string[] {
  return [
    ...containersOf(pod).flatMap((container) => [
      ...(container.env ?? []).flatMap(({ name = "", value }) =>
        inText(value, (known) => credentialsInValue(name, known)).map(
          (what) => `container ${container.name}: variable ${name} holds ${what}; take it from a Secret (valueFrom.secretKeyRef)`,
        ),
      ),
      ...commandsOf(container)
        .flatMap(inCommand)
        .map((what) => `container ${container.name}: an argument holds ${what}; mount it from a Secret`),
      ...handlersOf(container)
        .flatMap(({ httpGet }) => httpGet?.httpHeaders ?? [])
        .flatMap(({ name = "", value }) =>
          inText(value, (known) => [...credentialsInValue(name, known), ...credentialsIn(`${name}: ${known}`)]).map(
            (what) => `container ${container.name}: the header ${name} of a probe holds ${what}; ask for what needs none`,
          ),
        ),
    ]),
    ...list(pod.spec, "volumes").flatMap((volume) =>
      Object.entries(fields(fields(volume, "csi"), "volumeAttributes")).flatMap(([name, value]) =>
        inText(value, (known) => credentialsInValue(name, known)).map(
          (what) => `volume ${text(volume, "name")}: the attribute ${name} holds ${what}; name a Secret (nodePublishSecretRef)`,
        ),
      ),
    ),
  ];
}

/** Findings in a value, each once; none in one that is absent or not known yet. */
const inText = (value: unknown, find: (known: string) => string[]): string[] =>
  typeof value === "string" ? [...new Set(find(value))] : [];

/** Probes and hooks of a container. */
const handlersOf = ({ startupProbe, readinessProbe, livenessProbe, lifecycle }: Container): Handler[] =>
  [startupProbe, readinessProbe, livenessProbe, ...Object.values(lifecycle ?? {})].filter((handler) => handler !== undefined);

/** Everything that is run in a container. */
const commandsOf = (container: Container): string[][] =>
  [[...(container.command ?? []), ...(container.args ?? [])], ...handlersOf(container).map(({ exec }) => exec?.command ?? [])].map(
    (command) => command.filter((argument) => typeof argument === "string"),
  );

/** Likely credentials in a command, also where the name is one argument and the value the next. */
const inCommand = (command: readonly string[]): string[] => [
  ...new Set(
    command.flatMap((argument, index) => {
      const [, name] = /^--?([A-Za-z][\w.-]*)$/.exec(command[index - 1] ?? "") ?? [];
      return [...credentialsIn(argument), ...(name === undefined || argument.startsWith("-") ? [] : credentialsInValue(name, argument))];
    }),
  ),
];

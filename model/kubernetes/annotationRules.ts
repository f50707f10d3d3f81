import type { Settings } from "../settings/schema";
import type { Problem } from "../values/problem";
import { choosers } from "./choices";

/**
 * Annotations of pods that were fields before they were fields: the API server holds each against the pod's containers and their security
 * context, and refuses the pod, in the middle of an update, where they differ (Kubernetes 1.36 pkg/apis/core/validation/validation.go
 * `ValidateSeccompPodAnnotations`, `ValidateAppArmorPodAnnotations`).
 */
const PROFILES: readonly [string, string][] = [
  ["seccomp.security.alpha.kubernetes.io/", "seccompProfile"],
  ["container.seccomp.security.alpha.kubernetes.io/", "seccompProfile"],
  ["container.apparmor.security.beta.kubernetes.io/", "appArmorProfile"],
];

/** Every annotation of a pod that says what a field says; empty where there is none. */
export function annotationProblems(settings: Settings): Problem[] {
  return choosers(settings).flatMap(({ key, pods }) =>
    Object.entries(pods?.annotations ?? {}).flatMap(([name, value]) => {
      const [, field] = PROFILES.find(([prefix]) => name.startsWith(prefix)) ?? [];
      return field === undefined
        ? []
        : [
            {
              key: `${key}pods.annotations.${name}`,
              value,
              rule: `a field says this (${field} of a securityContext), every pod of the stack has the one that Pod Security restricted asks, and the API server refuses another beside it`,
              remedy: "the annotation left out",
            },
          ];
    }),
  );
}

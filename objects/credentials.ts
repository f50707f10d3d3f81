import * as core from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { type Credentials, ownCredentials } from "../model/credentials/rules";
import { type CredentialUser, credentialsReadBy, credentialUses } from "../model/credentials/uses";
import { commonLabels } from "../model/kubernetes/labels";
import { CREDENTIALS_DIRECTORY } from "../model/settings/credentials";
import type { Settings } from "../model/settings/schema";
import type { Mounted, Workload } from "./workload";

const VOLUME = "credentials";

/**
 * The credentials that a component reads, as files of one directory; nothing where it reads none. Those of the map are in a Secret of the
 * component's own, immutable and named by its content: a change is another Secret, and rolls the pods. Those of Secrets that exist are
 * projected from there, without a `subPath`: a change reaches the running pods.
 */
export function credentialFiles(
  name: string,
  workload: Workload,
  user: CredentialUser,
  settings: Settings,
  credentials: Credentials,
): Mounted {
  const read = credentialsReadBy(credentialUses(settings), user);
  const own = ownCredentials(read, credentials);
  const sources = [
    ...(Object.keys(own).length === 0 ? [] : [{ secret: { name: secretOf(`${name}-${VOLUME}`, workload, own) } }]),
    ...read.flatMap((path) => {
      const from = Object.hasOwn(settings.credentialsFrom, path) ? settings.credentialsFrom[path] : undefined;
      return from === undefined ? [] : [{ secret: { name: from.secret, items: [{ key: from.key, path }] } }];
    }),
  ];
  if (sources.length === 0) return { volumes: [], mounts: [] };
  return {
    volumes: [{ name: VOLUME, projected: { sources } }],
    mounts: [{ name: VOLUME, mountPath: CREDENTIALS_DIRECTORY, readOnly: true }],
  };
}

const secretOf = (name: string, { identity, namespace, parent }: Workload, texts: Credentials): pulumi.Output<string> =>
  new core.Secret(
    name,
    { metadata: { namespace, labels: commonLabels(identity) }, immutable: true, stringData: pulumi.secret(texts) },
    { parent },
  ).metadata.name;

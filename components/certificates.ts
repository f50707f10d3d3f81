import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { CLIENTS_IDENTITY, type Identity } from "../model/kubernetes/identities";
import { commonLabels } from "../model/kubernetes/labels";
import type { Settings } from "../model/settings/schema";
import { certificateSpec, type Issuer } from "../model/tls/certManager";
import { CA_FILE, CERTIFICATE_FILE, KEY_FILE, TLS_DIRECTORY, TLS_VOLUME } from "../model/tls/flags";
import { type CertifiedComponent, type Leaf, leafSecretName, type TlsPlan } from "../model/tls/plan";
import { type Issued, issue, type KeyPair } from "../objects/authority";
import { componentType } from "../objects/componentType";
import { type Mounted, mountedCertificate } from "../objects/workload";

/** Arguments of {@link Certificates}. */
export interface CertificatesArgs {
  settings: Settings;
  tls: TlsPlan;
  /** The day for which the program's own certificates are made. */
  day: Date;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
}

/** Characters of the seed: of 62 kinds each, more than 256 bits. */
const SEED_LENGTH = 64;

/**
 * A certificate for every component that opens or takes connections inside the stack, each in a Secret of its own with nothing else but the
 * CAs' certificates. The program's own are immutable and named by content, so that new ones restart whoever has them; those of others are
 * changed in place, and Thanos reads them again.
 */
export class Certificates extends pulumi.ComponentResource {
  /** Outputs of the stack: what others need to connect. Only the certificates with keys for others are secret. */
  readonly outputs: Record<string, pulumi.Input<unknown>>;
  private readonly secrets = new Map<CertifiedComponent, pulumi.Input<string>>();

  constructor(name: string, args: CertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Certificates"), name, {}, opts);
    const { tls } = args;
    const { program, certManager, secrets } = tls.settings.certificates;
    const known = { serverName: tls.serverName, stage: tls.settings.stage };
    this.outputs = { tls: known };
    if (program !== undefined) {
      const issued = this.issued(name, args);
      for (const leaf of tls.leaves) this.secrets.set(leaf.component, this.secret(leaf, leaf.identity, args, issued));
      const ca = pulumi.unsecret(issued.apply(({ trusted }) => trusted));
      const clients = pulumi.secret(issued.apply(({ leaves }) => pairsOf(tls, leaves)));
      this.outputs = { tls: { ...known, ca }, ...(tls.clients.length === 0 ? {} : { tlsClients: clients }) };
    } else if (certManager !== undefined) {
      const { issuer } = certManager;
      for (const leaf of tls.leaves) this.secrets.set(leaf.component, this.certificate(leaf, leaf.identity, args, issuer));
      for (const leaf of tls.clients) this.certificate(leaf, CLIENTS_IDENTITY, args, issuer);
    } else {
      for (const { component, key } of tls.leaves) {
        const given = secrets?.[key] ?? secrets?.all;
        if (given === undefined) throw new pulumi.ResourceError(`tls.certificates.secrets names no Secret for ${component}`, this);
        this.secrets.set(component, given);
      }
    }
    this.registerOutputs({});
  }

  /**
   * The certificate of a component, as files in its container; undefined where it has none.
   *
   * @param keyFile Name of the key's file. Default: as in the Secret.
   */
  mounted(component: CertifiedComponent, directory = TLS_DIRECTORY, keyFile?: string): Mounted | undefined {
    const secretName = this.secrets.get(component);
    return secretName === undefined ? undefined : mountedCertificate(TLS_VOLUME, secretName, directory, keyFile);
  }

  private issued(name: string, { settings, tls, day }: CertificatesArgs): pulumi.Output<Issued> {
    // Another seed would be other CAs, which nobody trusts who has the old ones.
    const seed = new random.RandomPassword(
      `${name}-seed`,
      { length: SEED_LENGTH, special: false },
      { parent: this, protect: settings.protect, ignoreChanges: ["length", "special"] },
    );
    const leaves = [...tls.leaves, ...tls.clients];
    const { generation } = tls.settings;
    return pulumi.secret(seed.result.apply((text) => issue(text, { stack: settings.namespace, generation, day, leaves })));
  }

  private secret(leaf: Leaf, identity: Identity, { namespace }: CertificatesArgs, issued: pulumi.Output<Issued>): pulumi.Output<string> {
    const files = issued.apply(({ trusted, leaves }) => {
      const { certificate = "", key = "" } = leaves[leaf.name] ?? {};
      return { [CERTIFICATE_FILE]: certificate, [KEY_FILE]: key, [CA_FILE]: trusted };
    });
    return new k8s.core.v1.Secret(
      leafSecretName(leaf),
      {
        metadata: { namespace, labels: commonLabels(identity) },
        type: "kubernetes.io/tls",
        immutable: true,
        stringData: pulumi.secret(files),
      },
      { parent: this },
    ).metadata.name;
  }

  private certificate(leaf: Leaf, identity: Identity, { namespace }: CertificatesArgs, issuer: Issuer): pulumi.Output<string> {
    const secretName = leafSecretName(leaf);
    const object = new k8s.apiextensions.CustomResource(
      secretName,
      {
        apiVersion: "cert-manager.io/v1",
        kind: "Certificate",
        metadata: { name: secretName, namespace, labels: commonLabels(identity) },
        spec: certificateSpec(leaf, issuer),
      },
      { parent: this },
    );
    return object.metadata.apply(() => secretName);
  }
}

/** Certificates for others, by the names that `tls.clients` has of them. */
const pairsOf = ({ clients }: TlsPlan, leaves: Issued["leaves"]): Record<string, KeyPair> =>
  Object.fromEntries(
    clients.flatMap(({ name, holder }) => {
      const pair = leaves[name];
      return pair === undefined ? [] : [[holder, pair]];
    }),
  );

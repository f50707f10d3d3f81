import * as apiextensions from "@pulumi/kubernetes/apiextensions";
import * as core from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { CLIENTS_IDENTITY, type Identity } from "../model/kubernetes/identities";
import { commonLabels } from "../model/kubernetes/labels";
import type { PodComponent } from "../model/settings/components";
import type { Settings } from "../model/settings/schema";
import type { ClientUse } from "../model/settings/tls";
import { certificateSpec, type Issuer, issuerOf } from "../model/tls/certManager";
import { CA_FILE, CERTIFICATE_FILE, CLIENT_CA_DIRECTORY, CLIENT_CA_VOLUME, KEY_FILE, TLS_DIRECTORY, TLS_VOLUME } from "../model/tls/flags";
import { CLIENT_USES, type ClientLeaf, type Leaf, leafSecretName, type TlsPlan } from "../model/tls/plan";
import { type AuthorityUse, type Issued, issue, type KeyPair } from "../objects/authority";
import { componentType } from "../objects/componentType";
import { type Mounted, mountedCertificate, mountedConfigMap } from "../objects/workload";

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

/** Who else connects to a component, and so whose CA it trusts beside the stack's. */
const CONNECTS: Partial<Record<PodComponent, ClientUse>> = { receive: "write", "receive-router": "write", querier: "query" };

/**
 * A certificate for every component that opens or takes connections inside the stack, each in a Secret of its own with nothing else but the
 * CAs' certificates. The program's own are immutable and named by content, so that new ones restart whoever has them; those of others are
 * changed in place, and Thanos reads them again.
 *
 * Others have certificates of CAs of their own, one for writing and one for querying. Where they connect these are trusted beside the
 * stack's, in a ConfigMap that is named by content too: Thanos reads a CA at its start only.
 */
export class Certificates extends pulumi.ComponentResource {
  /** Outputs of the stack: what others need to connect. Only the certificates with keys for others are secret. */
  readonly outputs: Record<string, pulumi.Input<unknown>>;
  private readonly secrets = new Map<PodComponent, pulumi.Input<string>>();
  /** CAs by what they are for, as PEM, where the program knows them. */
  private readonly authorities: Partial<Record<AuthorityUse, pulumi.Input<string> | undefined>> = {};
  private readonly trusted = new Map<ClientUse, Mounted>();

  constructor(
    private readonly name: string,
    private readonly args: CertificatesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(componentType("Certificates"), name, {}, opts);
    const { tls } = args;
    const { program, certManager, secrets } = tls.settings.certificates;
    const known = { serverName: tls.serverName, stage: tls.settings.stage };
    this.outputs = { tls: known };
    if (program !== undefined) {
      const seed = this.seed();
      const { generation, clients } = tls.settings;
      const issued = this.issued(seed, "stack", generation, tls.leaves);
      for (const leaf of tls.leaves) this.secrets.set(leaf.component, this.secret(leaf, leaf.identity, issued));
      const others = CLIENT_USES.map((use) => {
        const leaves = tls.clients.filter((leaf) => leaf.use === use);
        return { leaves, issued: leaves.length === 0 ? undefined : this.issued(seed, use, clients.generation, leaves) };
      });
      const authority = (from: pulumi.Output<Issued> | undefined) => from && pulumi.unsecret(from.apply(({ trusted }) => trusted));
      const ca = authority(issued);
      this.authorities = { stack: ca, write: authority(others[0]?.issued), query: authority(others[1]?.issued) };
      const pairs = others.map(({ leaves, issued: from }) => from?.apply((made) => pairsOf(leaves, made.leaves)) ?? {});
      const all = pulumi.secret(pulumi.all(pairs).apply((each): Record<string, KeyPair> => Object.assign({}, ...each)));
      this.outputs = { tls: { ...known, ca }, ...(tls.clients.length === 0 ? {} : { tlsClients: all }) };
    } else if (certManager !== undefined) {
      const { issuer, authority, clients } = certManager;
      for (const leaf of tls.leaves) this.secrets.set(leaf.component, this.certificate(leaf, leaf.identity, issuer));
      this.authorities = { stack: authority, write: clients.write?.authority, query: clients.query?.authority };
    } else {
      for (const { component, key } of tls.leaves) {
        const given = secrets?.[key] ?? secrets?.all;
        if (given === undefined) throw new pulumi.ResourceError(`tls.certificates.secrets names no Secret for ${component}`, this);
        this.secrets.set(component, given);
      }
    }
    for (const use of tls.accepted) this.trusted.set(use, this.trustedBy(use, secrets?.clients[use]));
    this.registerOutputs({});
  }

  /**
   * The certificate of a component, as files in its container; undefined where it has none.
   *
   * @param keyFile Name of the key's file. Default: as in the Secret.
   */
  mounted(component: PodComponent, directory = TLS_DIRECTORY, keyFile?: string): Mounted | undefined {
    const secretName = this.secrets.get(component);
    return secretName === undefined ? undefined : mountedCertificate(TLS_VOLUME, secretName, directory, keyFile);
  }

  /**
   * The CAs that a component trusts because others connect to it, as a file in its container; undefined where it trusts the stack's alone,
   * which is beside its certificate.
   */
  mountedClientCa(component: PodComponent): Mounted | undefined {
    const use = CONNECTS[component];
    return use === undefined ? undefined : this.trusted.get(use);
  }

  /** The CA of senders, as PEM; undefined where the program knows none. */
  get sendersAuthority(): pulumi.Input<string> | undefined {
    return this.authorities.write;
  }

  /**
   * Asks cert-manager for the certificates of others, when everybody whom they connect to trusts their CA: it signs at once, also anew,
   * with another one.
   *
   * @param servers Components to which they connect.
   */
  signForOthers(servers: pulumi.Resource[]): void {
    const { tls } = this.args;
    const { certManager } = tls.settings.certificates;
    for (const leaf of tls.clients) {
      const issuer = certManager && issuerOf(certManager, leaf);
      if (issuer !== undefined) this.certificate(leaf, CLIENTS_IDENTITY, issuer, servers);
    }
  }

  private seed(): pulumi.Output<string> {
    // Another seed would be other CAs, which nobody trusts who has the old ones.
    return new random.RandomPassword(
      `${this.name}-seed`,
      { length: SEED_LENGTH, special: false },
      { parent: this, protect: this.args.settings.protect, ignoreChanges: ["length", "special"] },
    ).result;
  }

  private issued(seed: pulumi.Output<string>, use: AuthorityUse, generation: number, leaves: readonly Leaf[]): pulumi.Output<Issued> {
    const { settings, day } = this.args;
    return pulumi.secret(seed.apply((text) => issue(text, { stack: settings.namespace, use, generation, day, leaves })));
  }

  /** The CAs of the stack and of others: the Secret that somebody else has made of them, or a ConfigMap. */
  private trustedBy(use: ClientUse, given: string | undefined): Mounted {
    if (given !== undefined) {
      const items = [{ key: CA_FILE, path: CA_FILE }];
      return {
        volumes: [{ name: CLIENT_CA_VOLUME, secret: { secretName: given, items } }],
        mounts: [{ name: CLIENT_CA_VOLUME, mountPath: CLIENT_CA_DIRECTORY, readOnly: true }],
      };
    }
    const { stack, [use]: theirs } = this.authorities;
    if (stack === undefined || theirs === undefined) throw new pulumi.ResourceError(`tls knows no CA for clients.${use}`, this);
    const bundle = pulumi.all([stack, theirs]).apply((each) => each.map((text) => `${text.trimEnd()}\n`).join(""));
    const configMap = new core.ConfigMap(
      `${this.name}-clients-${use}`,
      {
        metadata: { namespace: this.args.namespace, labels: commonLabels(CLIENTS_IDENTITY) },
        immutable: true,
        data: { [CA_FILE]: bundle },
      },
      { parent: this },
    );
    return mountedConfigMap(CLIENT_CA_VOLUME, configMap.metadata.name, CLIENT_CA_DIRECTORY);
  }

  private secret(leaf: Leaf, identity: Identity, issued: pulumi.Output<Issued>): pulumi.Output<string> {
    const files = issued.apply(({ trusted, leaves }) => {
      const { certificate = "", key = "" } = leaves[leaf.name] ?? {};
      return { [CERTIFICATE_FILE]: certificate, [KEY_FILE]: key, [CA_FILE]: trusted };
    });
    return new core.Secret(
      leafSecretName(leaf),
      {
        metadata: { namespace: this.args.namespace, labels: commonLabels(identity) },
        type: "kubernetes.io/tls",
        immutable: true,
        stringData: pulumi.secret(files),
      },
      { parent: this },
    ).metadata.name;
  }

  private certificate(leaf: Leaf, identity: Identity, issuer: Issuer, dependsOn: pulumi.Resource[] = []): pulumi.Output<string> {
    const secretName = leafSecretName(leaf);
    const object = new apiextensions.CustomResource(
      secretName,
      {
        apiVersion: "cert-manager.io/v1",
        kind: "Certificate",
        metadata: { name: secretName, namespace: this.args.namespace, labels: commonLabels(identity) },
        spec: certificateSpec(leaf, issuer),
      },
      { parent: this, dependsOn },
    );
    return object.metadata.apply(() => secretName);
  }
}

/** Certificates for others, by the names that `tls.clients` has of them. */
const pairsOf = (clients: readonly ClientLeaf[], leaves: Issued["leaves"]): Record<string, KeyPair> =>
  Object.fromEntries(
    clients.flatMap(({ name, holder }) => {
      const pair = leaves[name];
      return pair === undefined ? [] : [[holder, pair]];
    }),
  );

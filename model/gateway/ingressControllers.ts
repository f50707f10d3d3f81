import { GATEWAY_SERVICES } from "../kubernetes/identities";
import { GATEWAY_SERVICE_PORT } from "../kubernetes/ports";
import type { Endpoint } from "../settings/gatewayEndpoints";

/**
 * How ingress controllers are told that the gateway speaks TLS: each by an annotation of its own, of the Ingress or of the Service. Without
 * it most speak plain HTTP, which the gateway answers 400, or nothing. Sources: the annotations' pages of each controller's documentation.
 */

/** An annotation by which a controller speaks TLS to what is behind it, where its value is one of those that say so. */
interface Annotation {
  of: "ingress" | "service";
  name: string;
  /** A value that says so, for people. */
  value: string;
  /** Whether a value says so, for the Service of an endpoint. */
  saysTls(value: string, endpoint: Endpoint): boolean;
}

/** A controller, and the annotations of which one is enough. */
interface Backend {
  /** Names of ingress classes, as each controller's own chart calls them. */
  classes: RegExp;
  annotations: readonly Annotation[];
  /** Whether it speaks TLS to a Service's port 443 unless an annotation says something else. Default: no. */
  byPort?: boolean;
}

/** Values without their case, where controllers don't care. */
const oneOf =
  (...values: string[]) =>
  (value: string): boolean =>
    values.includes(value.trim().toLowerCase());
const exactly =
  (...values: string[]) =>
  (value: string): boolean =>
    values.includes(value);
/** A list, one of whose entries is meant. */
const listed =
  (meant: (endpoint: Endpoint) => readonly string[]) =>
  (value: string, endpoint: Endpoint): boolean =>
    value.split(",").some((entry) => meant(endpoint).includes(entry.trim()));
const yes = oneOf("true", "1", "yes", "on", "enabled");

const ingress = (name: string, value: string, saysTls: Annotation["saysTls"]): Annotation => ({ of: "ingress", name, value, saysTls });
const service = (name: string, value: string, saysTls: Annotation["saysTls"]): Annotation => ({ of: "service", name, value, saysTls });
/** An annotation that the Ingress or the Service may have. */
const either = (...of: Parameters<typeof ingress>): Annotation[] => [ingress(...of), service(...of)];

/** Name of ingress-nginx' annotation, by which it is told from the controller of NGINX' makers, too. */
const BACKEND_PROTOCOL = "nginx.ingress.kubernetes.io/backend-protocol";

/** GKE's protocols by name of a Service's port; HTTP2 is over TLS there. */
function portsSayTls(value: string, endpoint: Endpoint): boolean {
  try {
    const ports: unknown = JSON.parse(value);
    const protocol = typeof ports === "object" && ports !== null ? (ports as Record<string, unknown>)[endpoint] : undefined;
    return protocol === "HTTPS" || protocol === "HTTP2";
  } catch {
    return false;
  }
}

const CONTROLLERS: readonly Backend[] = [
  {
    // Two controllers have this class: the community's, and that of NGINX' makers.
    classes: /nginx/,
    annotations: [
      ingress(BACKEND_PROTOCOL, "HTTPS", oneOf("https", "grpcs", "auto_http")),
      ingress(
        "nginx.org/ssl-services",
        "<the Service's name>",
        listed((endpoint) => [GATEWAY_SERVICES[endpoint]]),
      ),
    ],
  },
  {
    classes: /^traefik/,
    annotations: [service("traefik.ingress.kubernetes.io/service.serversscheme", "https", exactly("https"))],
    byPort: GATEWAY_SERVICE_PORT === 443,
  },
  {
    classes: /^haproxy/,
    annotations: [
      ...either("haproxy.org/server-ssl", "true", yes),
      ...either("haproxy-ingress.github.io/backend-protocol", "h1-ssl", oneOf("h1-ssl", "h2-ssl", "https", "grpcs")),
      ...either("haproxy-ingress.github.io/secure-backends", "true", yes),
    ],
  },
  { classes: /^alb$/, annotations: either("alb.ingress.kubernetes.io/backend-protocol", "HTTPS", exactly("HTTPS")) },
  { classes: /^gce/, annotations: [service("cloud.google.com/app-protocols", '{"<write or query>":"HTTPS"}', portsSayTls)] },
  { classes: /^azure/, annotations: [ingress("appgw.ingress.kubernetes.io/backend-protocol", "https", oneOf("https"))] },
  // `tls` is for streams: Kong leaves an Ingress whose Service has it without a backend.
  { classes: /^kong/, annotations: [service("konghq.com/protocol", "https", exactly("https", "grpcs", "wss"))] },
  {
    classes: /^contour/,
    annotations: [
      service(
        "projectcontour.io/upstream-protocol.tls",
        String(GATEWAY_SERVICE_PORT),
        listed((endpoint) => [String(GATEWAY_SERVICE_PORT), endpoint]),
      ),
    ],
  },
  { classes: /^openshift/, annotations: [ingress("route.openshift.io/termination", "reencrypt", exactly("reencrypt", "passthrough"))] },
];

/** Whether what serves an ingress class is a load balancer of a cloud, which connects with an address and has no pods. */
export const isOutside = (chosen: string | undefined): boolean => chosen !== undefined && /^(?:alb$|gce|azure)/.test(chosen);

/** Where annotations are looked for. */
export interface Annotated {
  class: string | undefined;
  ingress: Readonly<Record<string, string>>;
  service: Readonly<Record<string, string>>;
}

/** Why a controller would not speak TLS to the gateway. */
export interface PlainBackend {
  /** Annotations that are there and say something else, as they are written; none where nothing is said. */
  said: string[];
  /** Annotations by which it would, in words. */
  wanted: string;
}

/** Key of annotations, after that of the gateway or of the way. */
const KEYS = { ingress: "ingress.annotations", service: "gateway.services.annotations" } as const;

/**
 * Why the controller of an ingress class would not speak TLS to the gateway; undefined where an annotation tells it to. Of a class that is
 * not known here any of these annotations counts.
 */
export function plainBackend({ class: chosen, ...annotated }: Annotated, endpoint: Endpoint): PlainBackend | undefined {
  const meant = chosen === undefined ? [] : CONTROLLERS.filter(({ classes }) => classes.test(chosen));
  const known = (meant.length > 0 ? meant : CONTROLLERS).flatMap(({ annotations }) => annotations);
  const given = known.flatMap((each) => {
    const value = annotated[each.of][each.name];
    return value === undefined ? [] : [{ ...each, written: value }];
  });
  if (given.some(({ saysTls, written }) => saysTls(written, endpoint))) return undefined;
  if (given.length === 0 && meant.some(({ byPort }) => byPort)) return undefined;
  const wanted = given.length > 0 ? given : meant.length > 0 ? known : [];
  return {
    said: given.map(({ name, written }) => `${name}: ${written}`),
    wanted:
      wanted.length === 0
        ? "the annotation of its controller for a backend that speaks TLS"
        : wanted.map(({ of, name, value }) => `${name}: ${value} in ${KEYS[of]}`).join(", or "),
  };
}

/** The annotation by which ingress-nginx takes requests above 1 MiB. */
export const BODY_SIZE = "nginx.ingress.kubernetes.io/proxy-body-size";

const MEBIBYTE = 2 ** 20;
const UNITS: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: MEBIBYTE, g: 2 ** 30 };

/** Bytes of a size as NGINX writes it; undefined where it is none, which NGINX refuses with its whole configuration. */
function nginxBytes(size: string): number | undefined {
  const [, digits, unit = ""] = /^(\d+)([kmg]?)$/i.exec(size.trim()) ?? [];
  return digits === undefined ? undefined : Number(digits) * (UNITS[unit.toLowerCase()] ?? 1);
}

/**
 * The size of a request that the community's ingress-nginx takes, in words; undefined where somebody has chosen one that is no less than
 * its own, or another controller is meant.
 */
export function smallBodies({ class: chosen, ingress: own }: Annotated): string | undefined {
  if (chosen === undefined || !/nginx/.test(chosen) || own[BACKEND_PROTOCOL] === undefined) return undefined;
  const written = own[BODY_SIZE];
  if (written === undefined) return "takes requests up to 1 MiB";
  const bytes = nginxBytes(written);
  if (bytes === undefined) return `has ${BODY_SIZE}: ${written}, which is no size of NGINX, so that it takes requests up to 1 MiB`;
  return bytes === 0 || bytes >= MEBIBYTE ? undefined : `takes requests up to ${bytes} bytes by ${BODY_SIZE}: ${written}`;
}

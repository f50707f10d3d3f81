/**
 * How ingress controllers are told that the gateway speaks TLS: each by an annotation of its own, of the Ingress or of the Service. Without
 * it most speak plain HTTP, which the gateway answers 400, or nothing. Sources: the annotations' pages of each controller's documentation.
 */

/** An annotation that somebody has to set, and where. */
interface Backend {
  /** Names of ingress classes, as each controller's own chart calls them. */
  classes: RegExp;
  /** Annotations of the Ingress or of the Service, one of which is enough. */
  annotations: readonly { of: "ingress" | "service"; name: string; value: string }[];
}

const ingress = (name: string, value: string) => ({ of: "ingress", name, value }) as const;
const service = (name: string, value: string) => ({ of: "service", name, value }) as const;

const CONTROLLERS: readonly Backend[] = [
  {
    // Two controllers have this class: the community's, and that of NGINX' makers.
    classes: /nginx/,
    annotations: [
      ingress("nginx.ingress.kubernetes.io/backend-protocol", "HTTPS"),
      ingress("nginx.org/ssl-services", "<the Service's name>"),
    ],
  },
  { classes: /^traefik/, annotations: [service("traefik.ingress.kubernetes.io/service.serversscheme", "https")] },
  {
    classes: /^haproxy/,
    annotations: [
      ingress("haproxy.org/server-ssl", "true"),
      service("haproxy.org/server-ssl", "true"),
      ingress("haproxy-ingress.github.io/backend-protocol", "h1-ssl"),
      ingress("haproxy-ingress.github.io/secure-backends", "true"),
    ],
  },
  { classes: /^alb$/, annotations: [ingress("alb.ingress.kubernetes.io/backend-protocol", "HTTPS")] },
  { classes: /^gce/, annotations: [service("cloud.google.com/app-protocols", '{"<write or query>":"HTTPS"}')] },
  { classes: /^azure/, annotations: [ingress("appgw.ingress.kubernetes.io/backend-protocol", "https")] },
  { classes: /^kong/, annotations: [service("konghq.com/protocol", "https")] },
  { classes: /^contour/, annotations: [service("projectcontour.io/upstream-protocol.tls", "443")] },
  { classes: /^openshift/, annotations: [ingress("route.openshift.io/termination", "reencrypt")] },
];

/** Where annotations are looked for. */
export interface Annotated {
  class: string | undefined;
  ingress: Readonly<Record<string, string>>;
  service: Readonly<Record<string, string>>;
}

/**
 * What would tell the controller of a class that the gateway speaks TLS, in words; undefined where something does. Of a class that is not known
 * here any of these annotations counts.
 */
export function missingBackendTls({ class: chosen, ...annotated }: Annotated): string | undefined {
  const meant = chosen === undefined ? [] : CONTROLLERS.filter(({ classes }) => classes.test(chosen));
  const wanted = (meant.length > 0 ? meant : CONTROLLERS).flatMap(({ annotations }) => annotations);
  if (wanted.some(({ of, name }) => annotated[of][name] !== undefined)) return undefined;
  return meant.length === 0
    ? "the annotation of its controller for a backend that speaks TLS"
    : wanted
        .map(({ of, name, value }) => `${name}: ${value} in ${of === "ingress" ? "ingress" : "gateway.services"}.annotations`)
        .join(", or ");
}

/** The annotation by which ingress-nginx takes requests above 1 MiB. */
export const BODY_SIZE = "nginx.ingress.kubernetes.io/proxy-body-size";

/** Whether the community's ingress-nginx is told to take larger requests than by itself, where it is the controller. */
export const limitsBodies = ({ class: chosen, ingress: own }: Annotated): boolean =>
  chosen !== undefined &&
  /nginx/.test(chosen) &&
  own["nginx.ingress.kubernetes.io/backend-protocol"] !== undefined &&
  own[BODY_SIZE] === undefined;

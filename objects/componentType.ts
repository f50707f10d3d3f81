/** Type token of a component. Part of the identity of every resource in it, so it never changes. */
export function componentType(className: string): string {
  return `thanos-stack:index:${className}`;
}

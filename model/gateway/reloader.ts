/**
 * Reloader of HAProxy, for certificates that are renewed in place: beside it a shell of the same image looks at their files, and tells its
 * master by signal, which starts a worker with the new ones and hands it the open sockets; the one before lets its requests end. Files that
 * it can't load are told of in its log, and the worker before stays. Sources: HAProxy 2.6 doc/management.txt, chapters 3 and 4;
 * docker-library/haproxy 3.2, whose images have a shell, `cat`, `sha256sum` and `sleep`, and so do those of Debian and of Alpine.
 */

/** Directory in memory, of HAProxy and the shell beside it: process id and sockets. */
export const RUN_DIRECTORY = "/run/haproxy";
/** Where the master writes its process id. */
export const PID_FILE = `${RUN_DIRECTORY}/haproxy.pid`;
/** Where a worker takes over the sockets of the one before. */
export const HANDOVER_SOCKET = `${RUN_DIRECTORY}/handover.sock`;

/** Where it keeps what it has seen last, so that it misses nothing while it is restarted itself. */
export const SEEN_FILE = `${RUN_DIRECTORY}/seen`;

/** Seconds between two looks; the kubelet itself takes a minute or so to write a Secret that has changed. */
const INTERVAL_SECONDS = 15;

/**
 * Arguments of `/bin/sh`.
 *
 * @param directories Directories of the files, whose names don't begin with a dot.
 */
export function reloaderArgs(directories: readonly string[]): string[] {
  const files = directories.map((directory) => `${directory}/*`).join(" ");
  return [
    "-c",
    [
      `sum() { cat ${files} | sha256sum; }`,
      `[ -s ${SEEN_FILE} ] || sum > ${SEEN_FILE} || exit 1`,
      `while sleep ${INTERVAL_SECONDS}; do`,
      "  now=$(sum) || exit 1",
      `  [ "$now" = "$(cat ${SEEN_FILE})" ] && continue`,
      '  echo "certificates have changed: HAProxy is reloaded"',
      `  kill -USR2 "$(cat ${PID_FILE})" && echo "$now" > ${SEEN_FILE}`,
      "done",
    ].join("\n"),
  ];
}

/** A delegate that reads its input and fails with an error of its own; it speaks CNI 0.4.0 only. */
export function failing(code: number, msg: string, exit = 1): string {
  return `#!/bin/sh
cat >/dev/null
[ "$CNI_COMMAND" != VERSION ] || { echo '{"cniVersion": "0.4.0", "supportedVersions": ["0.4.0"]}'; exit 0; }
echo '{"code": ${code}, "msg": "${msg}", "details": "in words"}'
exit ${exit}
`;
}

/** A delegate that gives everybody one address, of a /24. */
export function answering(address: string): string {
  return `#!/bin/sh
cat >/dev/null
[ "$CNI_COMMAND" != ADD ] || echo '{"cniVersion": "1.0.0", "ips": [{"address": "${address}/24"}]}'
`;
}

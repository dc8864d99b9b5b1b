// The commands for the Pi, as the panel shows them. Pure.

export const KEY_FILE = '/etc/vendlog/api_key';
export const CONFIG_FILE = '/etc/vendlog/agent.toml';

/** Keys consist of letters, digits and `_`, so that quotes around them suffice. */
export function installCommands(key: string): { key: string; start: string } {
  return {
    key: `sudo install -d -m 755 /etc/vendlog\necho '${key}' \\\n  | sudo install -m 600 /dev/stdin ${KEY_FILE}`,
    start: `sudo vendlog-agent check --config ${CONFIG_FILE}\nsudo vendlog-agent run --config ${CONFIG_FILE}`,
  };
}

// The commands for the Pi, as the panels show them. Pure.

export const KEY_FILE = '/etc/vendlog/api_key';
export const CONFIG_FILE = '/etc/vendlog/agent.toml';

/** The package lies beside the technician; `./` has apt take the file and what it depends on. */
export const INSTALL = 'sudo apt install ./vendlog-agent_*_arm64.deb';
export const CHECK = 'sudo vendlog-agent check';
/** The package has enabled it; it waits for its agent.toml, or runs with an older one. */
export const START = 'sudo systemctl restart vendlog-agent';

/** A code is one word of letters, digits, `-` and `_`: it needs no quotes. */
export function pairCommand(code: string): string {
  return `sudo vendlog-agent pair ${code}`;
}

/** Keys consist of letters, digits, `-` and `_`, so that quotes around them suffice. */
export function installCommands(key: string): { key: string; start: string } {
  return {
    key: `echo '${key}' \\\n  | sudo install -m 600 -o vendlog-agent -g vendlog-agent /dev/stdin ${KEY_FILE}`,
    start: `sudo chown vendlog-agent: ${CONFIG_FILE}\n${CHECK}\n${START}`,
  };
}

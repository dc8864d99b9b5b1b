// The commands for the Pi, as the panels show them. Pure.

export const KEY_FILE = '/etc/vendlog/api_key';
export const CONFIG_FILE = '/etc/vendlog/agent.toml';

/** The package lies beside the technician; `./` has apt take the file and what it depends on. */
export const INSTALL = 'sudo apt install ./vendlog-agent_*_arm64.deb';
export const CHECK = 'sudo vendlog-agent check';
export const START_AFTER_PAIRING = 'sudo systemctl enable --now vendlog-agent';

/** A code is one word of letters, digits, `-` and `_`: it needs no quotes. */
export function pairCommand(code: string): string {
  return `sudo vendlog-agent pair ${code}`;
}

/** Keys consist of letters, digits, `-` and `_`, so that quotes around them suffice. */
export function installCommands(key: string): { key: string; start: string } {
  return {
    key: `sudo install -d -m 755 /etc/vendlog\necho '${key}' \\\n  | sudo install -m 600 -o vendlog-agent /dev/stdin ${KEY_FILE}`,
    start: `${CHECK} --config ${CONFIG_FILE}\nsudo systemctl enable --now vendlog-agent`,
  };
}

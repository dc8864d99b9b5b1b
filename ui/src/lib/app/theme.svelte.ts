// Light, dark, or as the system has it. Kept on this computer.

export type ThemeChoice = 'system' | 'light' | 'dark';
export const THEMES: readonly ThemeChoice[] = ['system', 'light', 'dark'];
const KEY = 'vendlog.theme';

export class Theme {
  choice = $state<ThemeChoice>(read());

  constructor() {
    this.#apply();
  }

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    localStorage.setItem(KEY, choice);
    this.#apply();
  }

  next(): void {
    this.choose(THEMES[(THEMES.indexOf(this.choice) + 1) % THEMES.length] ?? 'system');
  }

  #apply(): void {
    if (this.choice === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.choice;
  }
}

function read(): ThemeChoice {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === kept) ?? 'system';
}

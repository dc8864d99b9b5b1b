// Numbers with their units.

const grouped = new Intl.NumberFormat('en-US');
const money = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** "12,034". */
export function count(n: number): string {
  return grouped.format(n);
}

/** "1 line", "12,034 lines". */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** "$20.00" for 2000. */
export function dollars(cents: number): string {
  return money.format(cents / 100);
}

/** "1.4 GB", in steps of 1000 as disks are sold. */
export function bytes(n: number): string {
  let unit = 0;
  let rest = n;
  while (rest >= 1000 && unit < UNITS.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${unit && rest < 100 ? rest.toFixed(1) : Math.round(rest)} ${UNITS[unit]}`;
}

/** A value of an entry's context as text; whole `*_cents` become money. */
export function contextValue(key: string, value: unknown): string {
  if (key.endsWith('_cents') && typeof value === 'number') return dollars(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

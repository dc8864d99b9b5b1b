// A data plan as it stands in the form, and back: pure.
import type { DataPlan } from './types';

export interface PlanText {
  megabytes: string;
  price: string;
  currency: string;
}

export type PlanRead = { ok: true; plan: DataPlan } | { ok: false; words: string };

const MB = 1_000_000;

export function planText({ monthly_bytes, price_cents_per_mb, currency }: DataPlan): PlanText {
  return {
    megabytes: monthly_bytes === null ? '' : `${monthly_bytes / MB}`,
    price: price_cents_per_mb === 0 ? '' : `${price_cents_per_mb / 100}`,
    currency,
  };
}

export function planFrom({ megabytes, price, currency }: PlanText): PlanRead {
  const data = number(megabytes);
  const cost = number(price);
  if (data === undefined || data === 0)
    return { ok: false, words: 'Data a month: a number of MB.' };
  if (cost === undefined) return { ok: false, words: 'Price of a MB: a number, such as 0.50.' };
  const code = currency.trim().toUpperCase();
  if (!/^[A-Z]{3}$/.test(code))
    return { ok: false, words: 'Currency: three letters, such as USD.' };
  const plan: DataPlan = {
    monthly_bytes: data === null ? null : Math.round(data * MB),
    // In ten-thousandths of a cent: dividing and multiplying again must not leave a tail.
    price_cents_per_mb: Math.round((cost ?? 0) * 1e6) / 1e4,
    currency: code,
  };
  return { ok: true, plan };
}

/** Null when nothing stands there, undefined when it is no number. A decimal comma is one too. */
function number(text: string): number | null | undefined {
  const bare = text.trim().replace(',', '.');
  if (bare === '') return null;
  const value = Number(bare);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

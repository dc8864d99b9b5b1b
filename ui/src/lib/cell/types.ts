// What the API says of a machine's cellular path, by the names this panel uses.

export interface DropGap {
  epoch: number;
  first: number;
  last: number;
  after: string | null;
  before: string | null;
}

export interface DeliveryRate {
  expected: number;
  arrived: number;
  rate: number;
}

/** A month against its plan. */
export interface PlanUse {
  month: string;
  used_bytes: number;
  budget_bytes: number | null;
  forecast_bytes: number;
  warn_at: number;
  state: 'ok' | 'warn' | 'over';
  /** Of 1,000,000 bytes; 0 when it is not known. */
  price_cents_per_mb: number;
  cost_cents: number;
  forecast_cents: number;
  currency: string;
  /** Whether the plan is the machine's own; else it is the fleet's. */
  is_own: boolean;
}

/** What the agent said of its own side with its last heartbeat. */
export interface CellHealth {
  state: string;
  waiting: number;
  error?: string | null;
  reader_serial?: string | null;
}

export interface Cell {
  last_drop_at: string | null;
  last_number: number | null;
  signal: { rssi: number | null; ber: number | null } | null;
  gaps: DropGap[];
  delivery: { days: number; cell: DeliveryRate | null; wifi: DeliveryRate | null };
  plan: PlanUse;
  dictionary: string | null;
  agent: CellHealth | null;
}

export interface DataPlan {
  /** Null: no bound. */
  monthly_bytes: number | null;
  /** 0 when it is not known. */
  price_cents_per_mb: number;
  currency: string;
}

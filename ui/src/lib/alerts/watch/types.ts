// The outside watch of Vendlog itself, as the API shows it.

export interface OutsideWatch {
  /** Masked: who knows it can keep the watch quiet. */
  dead_man_url: string | null;
  dead_man_status: {
    state: 'off' | 'never' | 'ok' | 'failing';
    pinged_at: string | null;
    message: string | null;
  };
  inhibit_sleep: boolean;
}

export interface WatchChange {
  /** Null removes it; absent keeps it. */
  dead_man_url?: string | null;
  inhibit_sleep?: boolean;
}

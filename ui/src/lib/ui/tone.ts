// How something is, for machines and sources alike: each has a shape and a colour of its own.
export type Tone = 'bad' | 'warn' | 'good' | 'off' | 'unheard';

// Counts by level as a sentence's part.

/** "1,204 lines: 2 critical, 14 errors, 3 warnings", naming only what there is. */
export function countsInWords(
  counts: number[],
  counted: (n: number, one: string, many?: string) => string,
): string {
  const [debug = 0, info = 0, warn = 0, error = 0, critical = 0] = counts;
  const grave = [
    critical > 0 ? counted(critical, 'critical', 'critical') : '',
    error > 0 ? counted(error, 'error') : '',
    warn > 0 ? counted(warn, 'warning') : '',
  ].filter(Boolean);
  const all = counted(debug + info + warn + error + critical, 'line');
  return grave.length > 0 ? `${all}: ${grave.join(', ')}` : all;
}

/** Amounts for people: 24900 -> `249.00 EUR`. */
export const euros = (cents: number): string => `${(cents / 100).toFixed(2)} EUR`;

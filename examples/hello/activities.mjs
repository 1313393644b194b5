export async function greet(name) {
  return `Hello, ${name}!`; // a model call, a payment, anything with side effects
}

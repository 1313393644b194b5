// Loaded with --import into a process that must not outlive the one that started it with a channel: when the channel closes, it is told to stop, and made to a little later.
const GRACE_MS = 10_000;

process.on('disconnect', () => {
  setTimeout(() => process.exit(1), GRACE_MS).unref();
  process.kill(process.pid, 'SIGTERM');
});
process.channel?.unref(); // listening for the end keeps nothing alive

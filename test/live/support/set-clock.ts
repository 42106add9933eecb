/** Loaded into a daemon before anything of it: each SIGUSR2 sets its time of day by 400 days, forward and back by turns. */
const { now } = Date;
let ahead = 0;
Date.now = () => now() + ahead;
process.on('SIGUSR2', () => {
  ahead = ahead === 0 ? 400 * 86_400_000 : 0;
});

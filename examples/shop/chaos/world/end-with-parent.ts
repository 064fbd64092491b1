/** Loaded into each program of the world before its own file: ends it when whoever started it is gone, however that went. */
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
}, 1000).unref()

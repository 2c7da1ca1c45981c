/**
 * Arguments of Node that give a process a clock of its own, `offsetMs` ahead, which SIGUSR2 steps by another `stepMs`. Only
 * the wall clock: timers and `performance.now()` go on as they would on a machine whose time is set.
 */
export function steppingClock(offsetMs: number, stepMs = 0): string[] {
  const code = `
    const Real = Date
    let offset = ${offsetMs}
    globalThis.Date = class Date extends Real {
      constructor(...values) { values.length === 0 ? super(Real.now() + offset) : super(...values) }
      static now() { return Real.now() + offset }
    }
    process.on('SIGUSR2', () => { offset += ${stepMs} })`
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
}

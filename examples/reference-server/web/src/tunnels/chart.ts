import { AutoScaleAxis, FixedScaleAxis, Interpolation, LineChart, type LineChartCreatedEvent, Svg } from 'chartist'
import type { Sample } from './live-samples.js'
import type { marksOf } from './times.js'

export interface ChartData {
  readonly points: readonly Sample[]
  /** Both ends of the time axis, in seconds. */
  readonly from: number
  readonly to: number
}

/** What stands at the axes. Given, and not imported: the library's script is then loaded alone. */
interface Words {
  readonly rate: (bytesPerSecond: number) => string
  readonly marksOf: typeof marksOf
}

interface ChartOptions extends Words {
  readonly data: ChartData
  /** Where the pointer is, in seconds; null: nowhere. */
  readonly onPoint: (at: number | null) => void
}

export interface Chart {
  update(data: ChartData): void
  /** Puts the line at a time; null takes it away. */
  select(at: number | null): void
  destroy(): void
}

/** Of an axis on which nothing is: it ends at 1 kB/s. */
const leastTop = 1_000
/** Pixels. */
const rateWidth = 78
const markWidth = 72
const rateSpace = 44

/**
 * The library writes style attributes, which the page's policy refuses; the style sheet says what they would.
 * The page has one chart, and the library nothing else to draw with.
 */
const { attr } = Svg.prototype
Svg.prototype.attr = function (this: Svg, attributes: string | Record<string, unknown>, namespace?: string) {
  if (typeof attributes === 'object') attributes = { ...attributes, style: undefined }
  return Reflect.apply(attr, this, [attributes, namespace])
} as typeof attr

/** Draws both rates over time into `element`, as wide and high as that is. Colours are the style sheet's. */
export function createChart(element: HTMLElement, { data, onPoint, ...words }: ChartOptions): Chart {
  let current = data
  let selected: number | null = null
  let drawn: LineChartCreatedEvent | undefined
  const chart = new LineChart(element, seriesOf(data), optionsOf(data, element, words))

  const drawSelection = () => {
    element.querySelector('.ct-selection')?.remove()
    if (selected === null || !drawn || selected < current.from || selected > current.to) return
    const { chartRect, svg } = drawn
    const x = chartRect.x1 + ((selected - current.from) / (current.to - current.from)) * chartRect.width()
    svg.elem('line', { x1: x, x2: x, y1: chartRect.y1, y2: chartRect.y2 }, 'ct-selection')
  }
  chart.on('created', (event) => {
    drawn = event as LineChartCreatedEvent
    drawSelection()
  })
  const follow = ({ clientX }: PointerEvent) => {
    if (!drawn) return
    // Not `offsetX`: of a label that would be in the label.
    const { x1, x2 } = drawn.chartRect
    const part = (clientX - element.getBoundingClientRect().left - x1) / (x2 - x1)
    onPoint(part < 0 || part > 1 ? null : current.from + part * (current.to - current.from))
  }
  // What a finger has chosen stays when it is lifted.
  const leave = ({ pointerType }: PointerEvent) => pointerType === 'mouse' && onPoint(null)
  element.addEventListener('pointerdown', follow)
  element.addEventListener('pointermove', follow)
  element.addEventListener('pointerleave', leave)

  return {
    update(next) {
      current = next
      chart.update(seriesOf(next), optionsOf(next, element, words))
    },
    select(at) {
      selected = at
      drawSelection()
    },
    destroy() {
      element.removeEventListener('pointerdown', follow)
      element.removeEventListener('pointermove', follow)
      element.removeEventListener('pointerleave', leave)
      chart.detach()
    },
  }
}

function seriesOf({ points, to }: ChartData) {
  const last = points.at(-1)
  // Each value holds until the next, the last until the end.
  const all = last ? [...points, { ...last, at: Math.max(last.at, to) }] : points
  return {
    series: [
      { className: 'in', data: all.map(({ at, inPerSecond }) => ({ x: at, y: inPerSecond })) },
      { className: 'out', data: all.map(({ at, outPerSecond }) => ({ x: at, y: outPerSecond })) },
    ],
  }
}

function optionsOf({ points, from, to }: ChartData, element: HTMLElement, { rate, marksOf }: Words) {
  const most = points.reduce((top, { inPerSecond, outPerSecond }) => Math.max(top, inPerSecond, outPerSecond), 0)
  const [marks, format] = marksOf(from, to, Math.max(2, (element.clientWidth - rateWidth) / markWidth))
  return {
    showPoint: false,
    showArea: true,
    lineSmooth: Interpolation.step({ postpone: true }),
    // Half a label more than the drawing.
    chartPadding: { top: 20, right: 24, bottom: 0, left: 0 },
    axisX: {
      type: FixedScaleAxis,
      low: from,
      high: to,
      ticks: [...marks],
      labelInterpolationFnc: (at: number | string) => format(Number(at)),
    },
    axisY: {
      type: AutoScaleAxis,
      low: 0,
      high: Math.max(leastTop, most * 1.1),
      offset: rateWidth,
      scaleMinSpace: rateSpace,
      labelInterpolationFnc: (value: number | string) => rate(Number(value)),
    },
  }
}

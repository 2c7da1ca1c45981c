import { useEffect } from 'preact/hooks'

/** The title of a step, in the browser's tab too. */
export function Heading({ title }: { title: string }) {
  useEffect(() => {
    document.title = `${title} · Sallyport`
  }, [title])
  return <h1>{title}</h1>
}

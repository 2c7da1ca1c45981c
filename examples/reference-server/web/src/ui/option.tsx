import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

interface OptionProps {
  readonly type: 'radio' | 'checkbox'
  readonly name: string
  readonly value: string
  readonly title: ComponentChildren
  /** What it means to choose it. */
  readonly about: string
  /** With `onChange`: whether it is chosen. */
  readonly checked?: boolean
  /** Without: at the beginning. */
  readonly defaultChecked?: boolean
  readonly onChange?: (isChosen: boolean) => void
}

/** Something to choose, with a word of explanation. */
export function Option({ type, name, value, title, about, checked, defaultChecked, onChange }: OptionProps) {
  const id = useId()
  const state = checked === undefined ? { defaultChecked: defaultChecked === true } : { checked }
  return (
    <div class="option">
      <input
        id={id}
        type={type}
        name={name}
        value={value}
        {...state}
        aria-describedby={`${id}-about`}
        onChange={({ currentTarget }) => onChange?.((currentTarget as HTMLInputElement).checked)}
      />
      <label for={id}>{title}</label>
      <p id={`${id}-about`} class="text-light">
        {about}
      </p>
    </div>
  )
}

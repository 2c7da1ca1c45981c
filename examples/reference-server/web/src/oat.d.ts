// The UI library's own modules, which bring no types.
declare module '@knadh/oat/js/toast.js' {
  export function toast(message: string, title?: string, options?: ToastOptions): HTMLElement
  interface ToastOptions {
    readonly variant?: 'info' | 'success' | 'warning' | 'danger'
    readonly placement?: 'top-right' | 'bottom-right' | 'bottom-center'
    /** Milliseconds; 0: until it is closed. */
    readonly duration?: number
  }
}

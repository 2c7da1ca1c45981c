import { Page } from './page.js'
import { Empty } from './states.js'

/** In the place of a page that is for others. */
export function NotAllowed({ title, permission }: { title: string; permission: string }) {
  return (
    <Page title={title}>
      <section class="card section">
        <Empty title="This page is not for you">
          <p>
            It needs the permission <code>{permission}</code>. An administrator can give it to you.
          </p>
        </Empty>
      </section>
    </Page>
  )
}

import type { MappedDirectory } from '@sallyport/auth'
import { discourseFixture } from './fixtures/discourse.js'
import { djangoFixture } from './fixtures/django.js'
import { eclipanelFixture } from './fixtures/eclipanel.js'
import type { Fixture } from './fixtures/fixture.js'
import { pterodactylFixture } from './fixtures/pterodactyl.js'
import { wordpressFixture } from './fixtures/wordpress.js'
import { discourse } from './hosts/discourse.js'
import { django } from './hosts/django.js'
import { eclipanel } from './hosts/eclipanel.js'
import { pterodactyl } from './hosts/pterodactyl.js'
import { wordpress } from './hosts/wordpress.js'
import type { HostOptions, Query } from './query.js'

/** A program whose users sign in, and an example of its tables. */
export interface Host {
  readonly directory: (query: Query, options: HostOptions) => MappedDirectory
  readonly fixture: Fixture
}

export const hosts: Readonly<Record<string, Host>> = {
  pterodactyl: { directory: pterodactyl, fixture: pterodactylFixture },
  eclipanel: { directory: eclipanel, fixture: eclipanelFixture },
  wordpress: { directory: wordpress, fixture: wordpressFixture },
  discourse: { directory: discourse, fixture: discourseFixture },
  django: { directory: django, fixture: djangoFixture },
}

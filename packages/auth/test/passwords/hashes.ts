/** The password of every hash here that says no other. */
export const password = 'correct horse battery staple'

/** Decomposed å, the ligature ﬁ: another text in NFKC. */
export const typed = 'pa\u030ass\ufb01x w\u00f6rd'
export const normalised = 'p\u00e5ssfix w\u00f6rd'

/** Made by Python: bcrypt 4.0.1, passlib 1.7.4, argon2-cffi 25.1, Django 5.2's `make_password`, hashlib. */
export const hashes = {
  bcrypt10: '$2y$10$rh1iqfuNEZl/Lj4uyP95hejH7vYl66RcvIRqMMY0..RSY2PoCMREy',
  bcrypt2a: '$2a$04$xeF6Nbq/lW1B..RCKH5WkOdgoYUGauuFEa0BZ/KNmd59CYn./L03y',
  bcrypt2b: '$2b$04$LdECijkSEYX0lqF3C8Aq6eNKFhVhKwM0VCoq/Ww0Kz2j7sIhcUz46',
  bcrypt4raw: '$2y$04$kSG/obrIcNITl9ERtDo6dO3Zz0MW10SoI8VXVyoqtNlXBEUTQTgk6',
  bcrypt4nfkc: '$2y$04$FazPNo.Gb2T7Rm/OeNvMuOyfNZHAJiSFIPPjrB/dGmmJSUs/saKje',
  phpassP: '$P$ByF3In7.UUj1j3.HTlR3OIzU4Wuuyw0',
  phpassH: '$H$9Z7yfMwJvk5xSrnF/DnZJ0OrvMUnt20',
  phpassSlashed: '$P$6n.jzbTNagyuprCCQpQYVOyCTRU1I/0',
  phpassTrimmed: '$P$6GAyu.ckw7Uk3t/5XU.Tr1EeWghvUb0',
  phpassUntrimmedH: '$H$672iMqA0C1TlqD2gaoa/3C7yAoKj.K/',
  wp10: '$wp$2y$10$E9xa2gA5LXWnX.IRlbk3POTWFNdqtd71uv.GVXLH1rCiGg4eE7g6i',
  wpLong: '$wp$2y$04$Yi2m6AnRyWzjiO5/Ef95ouMatgqr.V753axvtyQ5QeBpymXlHx...',
  discourse64k: [
    '43bffd24d105edc5542fa6bdc144821b0682d0dbe317249ff934243895f2bdaf',
    '6623e3e862153aeb55aa258657f14ad7',
  ],
  discourse600k: [
    'f9d76c06df05b98da49f6eea5fb30b33d4f600a445cea018f3adc733d8078530',
    '48e40cd6fcfcc41b7f075fe0bc5dc429',
    '$pbkdf2-sha256$i=600000,l=32$',
  ],
  django: 'pbkdf2_sha256$1000000$Xz4QqE14hBKxRcqPW97MlT$8hShOyK/7r71/ngtsg1/PQjTwCplifYJJI8Vt467Yb0=',
  djangoArgon2:
    'argon2$argon2id$v=19$m=102400,t=2,p=8$ZXpZakpwa2htU21UQ3lhYmdrNHFrNQ$C4DWqKbpMtarmlib4ZBjk1ALsgpmNGMB9TjWXO36qu8',
  argon2id64: '$argon2id$v=19$m=65536,t=3,p=1$MtUxRCGnXAxxIQSmj+m0TA$jpWocctO8Z/a0gDTgVGNuTEPDouV25C66JQyXkcIcS8',
  argon2idWeak: '$argon2id$v=19$m=1024,t=2,p=1$49J66jjY/KhESIvoUdJBYg$BcmeRTYf1t6z/lqRUfrqGH/MYAmv0LgBKMFcNqQgWyc',
  argon2i: '$argon2i$v=19$m=4096,t=3,p=1$Ep/CfxR4fUXBvruj1Q1rHg$RXIXS3tx5Ju5RKXZWxVVtMm9ls00UcNFtFVZ0T2sQFw',
} as const

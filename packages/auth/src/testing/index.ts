export { type MailerContractRunner, type MailerFixture, mailerContract } from './mailer-contract.js'

// An OpenID Connect provider for the tests: node-oidc-provider with its defaults, in memory.
// node oidc_provider.mjs PORT CLIENTS ACCOUNTS: clients as it takes them; accounts are {login: claims}, both as JSON.

import { createServer } from 'node:http'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import Provider from 'oidc-provider'

const [port, clients, people] = process.argv.slice(2)
const issuer = `http://localhost:${port}`
const accounts = JSON.parse(people)
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })

const provider = new Provider(issuer, {
  clients: JSON.parse(clients),
  jwks: { keys: [{ ...key, alg: 'RS256', use: 'sig', kid: 'of the tests' }] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], medicare: ['patient', 'mbi', 'number'] },
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_context, login) => ({ accountId: login, claims: () => ({ sub: login, ...accounts[login] }) }),
})

// The person's pages: who signs in, and whether this server may know.
async function interaction (request, response) {
  const { prompt, params, grantId, session } = await provider.interactionDetails(request, response)
  if (request.method === 'GET') {
    response.setHeader('Content-Type', 'text/html')
    const hint = params.login_hint ?? ''
    return response.end(`<!doctype html><html lang="${params.ui_locales}"><title>Provider</title><h1>${prompt.name}</h1>
      <form method="post"><label for="login">Name</label><input id="login" name="login" value="${hint.replace(/\W/g, '')}">
      <button name="answer" value="yes">Yes</button><button name="answer" value="cancel">Cancel</button></form></html>`)
  }
  let body = ''
  for await (const chunk of request) body += chunk
  const form = new URLSearchParams(body)
  if (form.get('answer') === 'cancel') {
    return provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'No' })
  }
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: form.get('login') } })
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  const consent = { grantId: await grant.save() }
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true })
}

const answer = provider.callback()
createServer((request, response) => {
  const handler = request.url.startsWith('/interaction/') ? interaction : answer
  Promise.resolve(handler(request, response)).catch((error) => { response.statusCode = 500; response.end(String(error)) })
}).listen(Number(port), '127.0.0.1', () => console.log('listening'))

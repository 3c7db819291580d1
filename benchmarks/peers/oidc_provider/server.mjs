// node-oidc-provider with its defaults, in memory: nothing that it hands out outlives the process.
// node server.mjs PORT CLIENT_ID CLIENT_SECRET REDIRECT_URI

import { createServer } from 'node:http'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import Provider from 'oidc-provider'

const [port, clientId, clientSecret, redirectUri] = process.argv.slice(2)
const issuer = `http://localhost:${port}`
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })

// The provider's own example of a store forgets all but the latest thousand entries.
const stored = new Map()
const ofGrant = new Map()
const ofUid = new Map()

class Memory {
  constructor (kind) { this.kind = kind }
  key (id) { return `${this.kind}:${id}` }
  async upsert (id, payload) {
    stored.set(this.key(id), payload)
    if (payload.grantId) ofGrant.set(payload.grantId, [...(ofGrant.get(payload.grantId) ?? []), this.key(id)])
    if (this.kind === 'Session') ofUid.set(payload.uid, id)
  }
  async find (id) { return stored.get(this.key(id)) }
  async findByUid (uid) { return this.find(ofUid.get(uid)) }
  async findByUserCode () { return undefined }
  async consume (id) { stored.get(this.key(id)).consumed = Math.floor(Date.now() / 1000) }
  async destroy (id) { stored.delete(this.key(id)) }
  async revokeByGrantId (grantId) {
    for (const key of ofGrant.get(grantId) ?? []) stored.delete(key)
    ofGrant.delete(grantId)
  }
}

const provider = new Provider(issuer, {
  adapter: Memory,
  clients: [{
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_post',
    introspection_endpoint_auth_method: 'client_secret_post',
  }],
  jwks: { keys: [{ ...key, alg: 'RS256', use: 'sig', kid: 'benchmark' }] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  claims: { openid: ['sub'], profile: ['name', 'given_name', 'family_name'] },
  features: { devInteractions: { enabled: false }, introspection: { enabled: true }, revocation: { enabled: true } },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_context, sub) => ({
    accountId: sub,
    claims: () => ({ sub, name: 'Jane Doe', given_name: 'Jane', family_name: 'Doe' }),
  }),
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
})

// The person's two pages, as small as they can be: who signs in, and a form to say Yes.
async function interaction (request, response) {
  const { prompt, params, grantId, session } = await provider.interactionDetails(request, response)
  if (request.method === 'GET') {
    response.setHeader('Content-Type', 'text/html')
    return response.end(`<form method="post"><button name="prompt" value="${prompt.name}">Yes</button></form>`)
  }
  for await (const _chunk of request); // the form says Yes; there is nothing else in it
  if (prompt.name === 'login') {
    const accountId = new URL(request.url, issuer).searchParams.get('person') ?? 'person'
    return provider.interactionFinished(request, response, { login: { accountId } })
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true })
}

const answer = provider.callback()
createServer((request, response) => {
  const handler = request.url.startsWith('/interaction/') ? interaction : answer
  Promise.resolve(handler(request, response)).catch((error) => { response.statusCode = 500; response.end(String(error)) })
}).listen(Number(port), '127.0.0.1', () => console.log('listening'))

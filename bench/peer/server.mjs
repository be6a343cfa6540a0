// The peer: npm oidc-provider with its own memory adapter, set up like our installation under test.
// Arguments: the port, and a file with the RSA and EC private keys and the client's public key (JWK).
import { readFileSync } from 'node:fs';

import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const { privateKeys, clientKeys, secret } = JSON.parse(readFileSync(process.argv[3], 'utf8'));
const issuer = `http://127.0.0.1:${port}`;

const client = (id, more) => ({
  client_id: id,
  client_secret: secret,
  redirect_uris: [],
  response_types: [],
  grant_types: ['client_credentials'],
  token_endpoint_auth_method: 'client_secret_basic',
  ...more,
});

const web = {
  redirect_uris: ['http://127.0.0.1:9/callback'],
  response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token'],
  id_token_signed_response_alg: 'ES256',
};

const provider = new Provider(issuer, {
  clients: [
    client('machine'),
    client('signed-machine', {
      client_secret: undefined,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: clientKeys },
    }),
    client('web', web),
  ],
  jwks: { keys: privateKeys },
  cookies: { keys: [secret] },
  pkce: { required: () => true },
  scopes: ['openid', 'offline_access', 'email'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  ttl: {
    AccessToken: 300, AuthorizationCode: 60, ClientCredentials: 300, Grant: 86400,
    IdToken: 3600, Interaction: 900, RefreshToken: 86400, Session: 86400,
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: 'email',
        audience: resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: resource.endsWith('rs256') ? 'RS256' : 'ES256' } },
      }),
    },
  },
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@klucznik.example`, email_verified: true }),
  }),
  // A first-party application: no consent page, as ours.
  loadExistingGrant: async (ctx) => {
    const known = ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId);
    if (known) return ctx.oidc.provider.Grant.find(known);
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid email offline_access');
    await grant.save();
    return grant;
  },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
});

const readForm = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
};

// The sign-in page. It checks no password: rows.py compares with Argon2's share taken out.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  if (ctx.method === 'GET') {
    await provider.interactionDetails(ctx.req, ctx.res);
    ctx.type = 'html';
    ctx.body = '<!doctype html><title>Sign in</title><form method="post">'
      + '<input name="email"><input name="password" type="password"><button>Sign in</button></form>';
    return undefined;
  }
  const form = await readForm(ctx.req);
  const result = { login: { accountId: form.get('email').split('@')[0] } };
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
  ctx.status = 303;
  return undefined;
});

provider.listen(port, '127.0.0.1');

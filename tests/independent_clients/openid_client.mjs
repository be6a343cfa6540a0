// An application on npm `openid-client`, as somebody else would write it. It prints what it learns as
// lines of JSON, and reads the addresses at which the browser arrived from its standard input.
import * as client from 'openid-client';
import readline from 'node:readline';

const { issuer, clientId, clientSecret, redirectUri, postLogoutRedirectUri } = JSON.parse(
  process.argv[2],
);
const say = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`);
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const arrived = async () => new URL((await lines.next()).value);

const config = await client.discovery(
  new URL(issuer),
  clientId,
  undefined,
  client.ClientSecretBasic(clientSecret),
  { execute: [client.allowInsecureRequests] },
);

const codeVerifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
say({
  authorize: client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid email profile offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    prompt: 'consent',
  }).href,
});

const tokens = await client.authorizationCodeGrant(config, await arrived(), {
  pkceCodeVerifier: codeVerifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
  maxAge: 900,
});
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
say({ claims, userinfo, expiresIn: tokens.expires_in, scope: tokens.scope });

const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
const about = await client.tokenIntrospection(config, refreshed.access_token);
await client.tokenRevocation(config, refreshed.refresh_token);
const after = await client.tokenIntrospection(config, refreshed.refresh_token);
let refusal = null;
try {
  await client.refreshTokenGrant(config, refreshed.refresh_token);
} catch (error) {
  refusal = error.error;
}
say({
  rotated: refreshed.refresh_token !== tokens.refresh_token,
  sameSubject: refreshed.claims()?.sub === claims.sub,
  about,
  activeAfterRevocation: after.active,
  refusal,
});

const logoutState = client.randomState();
say({
  endSession: client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: postLogoutRedirectUri,
    state: logoutState,
  }).href,
  logoutState,
});
process.exit(0);

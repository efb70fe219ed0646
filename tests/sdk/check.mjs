// Meta's own SDK for Node against a running sandbox: it must find its way with nothing changed but the
// address, and every field the sandbox serves must be one the SDK knows. The SDK takes any JSON, so the
// second part is the one with teeth. Exit code 1 and the list of failures if anything is wrong.
//
//   node check.mjs --base http://127.0.0.1:4700
//
// The sandbox must have its default app, seed and the small shop (or a larger one).

import { parseArgs } from 'node:util';
import sdk from 'facebook-nodejs-business-sdk';

const { values } = parseArgs({ options: { base: { type: 'string' } } });
if (!values.base) {
  console.error('usage: node check.mjs --base http://127.0.0.1:PORT');
  process.exit(2);
}
const base = values.base.replace(/\/$/, '');
const { FacebookAdsApi, User, Page, UnifiedThread, IGUser, PagePost, Comment, IGMedia, IGComment } = sdk;

const APP = { id: '138000000000001', secret: '0123456789abcdef0123456789abcdef' };
const INSTAGRAM = { id: '990000000000002', secret: 'fedcba9876543210fedcba9876543210' };
const BAKERY = '100000000000101';
const BAKERY_IG = '17841400000000001';
const BACK = 'http://127.0.0.1/back';

// Where the SDK has no class at all for a node, or a class without a field that Meta's pages document.
const NO_CLASS = {
  Message: 'messages of a conversation; the SDK returns AbstractObject',
  IGBusinessScopedID: 'Instagram customers',
};
const NOT_IN_CLASS = {
  Page: {
    tasks: 'documented on /me/accounts',
    picture: 'an edge, also readable as a field',
  },
  User: {
    picture: 'an edge, also readable as a field',
    accounts: 'an edge, read by expansion',
  },
  UnifiedThread: { messages: 'an edge, read by expansion' },
  PagePost: {
    attachments: 'an edge, read by expansion',
    comments: 'an edge, read by expansion',
    likes: 'an edge, read by expansion',
    reactions: 'an edge, read by expansion',
  },
  Comment: { comments: 'an edge, read by expansion' },
  IGMedia: { children: 'an edge, read by expansion', comments: 'an edge, read by expansion' },
  IGMediaForIGOnlyAPI: { children: 'an edge, read by expansion', comments: 'an edge, read by expansion' },
  IGComment: { replies: 'an edge, read by expansion' },
};
// The SDK's class for each kind of node.
const CLASSES = {
  Page: sdk.Page,
  User: sdk.User,
  IGUser: sdk.IGUser,
  IGUserForIGOnlyAPI: sdk.IGUserForIGOnlyAPI,
  UnifiedThread: sdk.UnifiedThread,
  MessengerProfile: sdk.User,
  PagePost,
  Comment,
  IGMedia,
  IGMediaForIGOnlyAPI: sdk.IGMediaForIGOnlyAPI,
  IGComment,
};

// Fields of the SDK that the sandbox has no reason to serve; asking for them is refused, so they are left out above.
const NOT_SERVED = {
  Comment: ['admin_creator', 'application', 'live_broadcast_timestamp', 'message_tags'],
  IGMedia: [
    'alt_text', 'boost_eligibility_info', 'copyright_check_information', 'has_poll', 'has_slider', 'ig_id',
    'legacy_instagram_media_id', 'video_title', 'view_count',
  ],
  IGComment: ['legacy_instagram_comment_id'],
};

let checks = 0;
const failures = [];
function check(what, holds, detail = '') {
  checks += 1;
  if (!holds) failures.push(`${what}${detail ? `: ${detail}` : ''}`);
}

async function json(url, options) {
  const answer = await fetch(url, options);
  return { status: answer.status, body: await answer.json() };
}

function control(path, body) {
  return json(`${base}/_sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });
}

async function codeFrom(dialog, params) {
  await control('consent', {});
  const answer = await fetch(`${base}/${dialog}?${new URLSearchParams(params)}`, { redirect: 'manual' });
  return new URL(answer.headers.get('location')).searchParams.get('code');
}

async function userToken() {
  const code = await codeFrom('www.facebook.com/v25.0/dialog/oauth', {
    client_id: APP.id, redirect_uri: BACK, response_type: 'code', state: 's', config_id: '556600000000003',
  });
  const keys = { client_id: APP.id, client_secret: APP.secret };
  const exchange = (more) =>
    json(`${base}/v24.0/oauth/access_token?${new URLSearchParams({ ...keys, ...more })}`);
  const short = await exchange({ redirect_uri: BACK, code });
  const long = await exchange({ grant_type: 'fb_exchange_token', fb_exchange_token: short.body.access_token });
  return long.body.access_token;
}

async function all(cursor) {
  const items = [...cursor];
  while (cursor.hasNext()) {
    await cursor.next();
    items.push(...cursor);
  }
  return items;
}

async function refusal(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return error.response ?? error;
  }
}

async function pages(token) {
  const api = new FacebookAdsApi(token, 'en_US', false);
  const me = await new User('me', {}, undefined, api).get(['id', 'name']);
  check('/me through the SDK', me.name === 'Johanna Kornblum', me.name);
  const cursor = await new User('me', {}, undefined, api).getAccounts(
    [Page.Fields.id, Page.Fields.name, Page.Fields.access_token, Page.Fields.instagram_business_account],
    { limit: 2 },
  );
  const found = await all(cursor);
  check('paging over /me/accounts', found.length === 3, `${found.length} Pages`);
  check('the Page class is used', found.every((page) => page instanceof Page));
  return found.find((page) => page.id === BAKERY).access_token;
}

async function messaging(token) {
  const api = new FacebookAdsApi(token, 'en_US', false);
  const page = new Page(BAKERY, {}, undefined, api);
  const fields = ['id', 'updated_time', 'participants', 'snippet', 'unread_count', 'message_count', 'can_reply'];
  const threads = await all(await page.getConversations(fields, { platform: 'MESSENGER', limit: 3 }));
  const state = await json(`${base}/_sandbox/state`);
  const held = state.body.conversations.filter((thread) => thread.account.id === BAKERY);
  check('every conversation is found', threads.length === held.length, `${threads.length} of ${held.length}`);
  check('they are threads', threads.every((thread) => thread instanceof UnifiedThread));

  const newest = threads[0];
  const messages = await all(
    await new UnifiedThread(newest.id, {}, undefined, api).getMessages(['id', 'message', 'from', 'created_time'], { limit: 4 }),
  );
  const kept = held.find((thread) => thread.id === newest.id).messages;
  check('every message is found', messages.length === kept.length, `${messages.length} of ${kept.length}`);
  check('newest first', messages[0].message === kept.at(-1).text);

  const person = newest.participants.data.find((someone) => someone.id !== BAKERY).id;
  const sent = await page.createMessage([], {
    recipient: { id: person },
    messaging_type: 'RESPONSE',
    message: { text: 'Danke, bis Samstag!' },
  });
  check('a message is sent', String(sent.message_id ?? sent._data?.message_id).startsWith('m_'), JSON.stringify(sent._data));

  const subscribed = await page.createSubscribedApp([], { subscribed_fields: ['messages', 'message_echoes'] });
  check('the Page is subscribed', (subscribed.success ?? subscribed._data?.success) === true);
  const apps = await page.getSubscribedApps([], {});
  check('the subscription is read back', apps[0]?.id === APP.id, JSON.stringify(apps[0]?._data));

  const linked = await page.getConversations(['id', 'updated_time', 'participants'], { platform: 'INSTAGRAM' });
  check('Instagram through the Page', linked.length === 12, `${linked.length}`);
  const account = await new IGUser(BAKERY_IG, {}, undefined, api).get(['username', 'followers_count']);
  check('the Instagram account', account.username === 'kornblume.brot', account.username);
  return { api, person };
}

async function held(id) {
  const state = await json(`${base}/_sandbox/state`);
  return state.body.posts.filter((post) => post.account.id === id);
}

const fieldsOf = (type) => Object.values(type.Fields);

// Posts and comments of the Page: found, answered, hidden, deleted with the SDK's own calls.
async function feed(api) {
  const page = new Page(BAKERY, {}, undefined, api);
  const posts = await all(await page.getFeed([PagePost.Fields.id, PagePost.Fields.message], { limit: 1 }));
  const kept = await held(BAKERY);
  check('every post is found', posts.length === kept.length, `${posts.length} of ${kept.length}`);
  check('they are posts', posts.every((post) => post instanceof PagePost));
  const talked = kept.find((post) => post.comments.length > 2);
  const post = new PagePost(talked.id, {}, undefined, api);
  const comments = await all(
    await post.getComments([Comment.Fields.id, Comment.Fields.message, Comment.Fields.from], { filter: 'stream', limit: 2 }),
  );
  check('every comment is found', comments.length === talked.comments.length, `${comments.length} of ${talked.comments.length}`);
  check('they are comments', comments.every((comment) => comment instanceof Comment));

  const made = await post.createComment([], { message: 'Danke euch allen!' });
  const own = new Comment(made.id, {}, undefined, api);
  await own.update([], { message: 'Danke euch allen! 🥖' });
  const read = await own.get(fieldsOf(Comment).filter((field) => !NOT_SERVED.Comment.includes(field)));
  check('a comment is written and edited', read.message === 'Danke euch allen! 🥖', read.message);
  const other = new Comment(talked.comments[0].id, {}, undefined, api);
  await other.update([], { is_hidden: true });
  check('a comment is hidden', (await other.get([Comment.Fields.is_hidden])).is_hidden === true);
  await other.update([], { is_hidden: false });
  await own.delete([]);
  const gone = await refusal(() => own.get([]));
  check('a comment is deleted', (gone?.error ?? gone)?.error_subcode === 33, JSON.stringify(gone));
}

// The same for media of the Instagram account behind the Page.
async function media(api) {
  const account = new IGUser(BAKERY_IG, {}, undefined, api);
  const found = await all(
    await account.getMedia(fieldsOf(IGMedia).filter((field) => !NOT_SERVED.IGMedia.includes(field)), { limit: 2 }),
  );
  const kept = (await held(BAKERY_IG)).filter((post) => post.form !== 'story');
  check('every medium is found', found.length === kept.length, `${found.length} of ${kept.length}`);
  check('they are media', found.every((one) => one instanceof IGMedia));
  const talked = kept.find((post) => post.comments.length > 2);
  const medium = new IGMedia(talked.id, {}, undefined, api);
  const comments = await all(
    await medium.getComments(fieldsOf(IGComment).filter((field) => !NOT_SERVED.IGComment.includes(field)), { limit: 2 }),
  );
  const top = talked.comments.filter((comment) => comment.parent === null);
  check('every top-level comment is found', comments.length === top.length, `${comments.length} of ${top.length}`);
  check('they are Instagram comments', comments.every((comment) => comment instanceof IGComment));
  const first = new IGComment(comments[0].id, {}, undefined, api);
  const made = await first.createReply([], { message: 'Gerne!' });
  const replies = await all(await first.getReplies([IGComment.Fields.id, IGComment.Fields.parent_id], {}));
  check('a reply is written', replies.some((reply) => reply.id === made.id && reply.parent_id === comments[0].id));
  await first.update([], { hide: true });
  check('an Instagram comment is hidden', (await first.get([IGComment.Fields.hidden])).hidden === true);
  await first.update([], { hide: false });
  await new IGComment(made.id, {}, undefined, api).delete([]);
  const stories = await account.getStories([IGMedia.Fields.id], {});
  check('the story is found', stories.length === 1, `${stories.length}`);
}

async function refusals(api, person) {
  const page = new Page(BAKERY, {}, undefined, api);
  const cases = [
    ['an unknown node', () => new Page('5', {}, undefined, api).get(['id']), 100, 33],
    ['an unknown field', () => page.get(['nonsense']), 100, undefined],
    ['an unknown person', () => page.createMessage([], { recipient: { id: '5' }, message: { text: 'x' } }), 100, 2018001],
    ['a retired tag', () => page.createMessage([], {
      recipient: { id: person }, messaging_type: 'MESSAGE_TAG', tag: 'ACCOUNT_UPDATE', message: { text: 'x' },
    }), 100, undefined],
    ['a dead token', () => new User('me', {}, undefined, new FacebookAdsApi('EAAnonsense', 'en_US', false)).get(['id']), 190, undefined],
  ];
  for (const [name, call, code, subcode] of cases) {
    const error = await refusal(call);
    const body = error?.error ?? error;
    check(`${name} is refused as the SDK expects`, body?.code === code && body?.error_subcode === subcode, JSON.stringify(body));
  }
}

async function debugToken(token) {
  const api = new FacebookAdsApi(token, 'en_US', false);
  const answer = await api.getAppID();
  check('debug_token through the SDK', answer?.data?.data?.app_id === APP.id, JSON.stringify(answer?.data));
}

async function batches(token) {
  const items = [{ method: 'GET', relative_url: 'v24.0/me?fields=id' }, { method: 'GET', relative_url: 'v24.0/5' }];
  const answer = await json(`${base}/v24.0/`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ access_token: token, batch: JSON.stringify(items) }),
  });
  check('a batch answers each call', answer.body[0]?.code === 200 && answer.body[1]?.code === 400, JSON.stringify(answer.body));
  check('bodies in a batch are text', JSON.parse(answer.body[0].body).id === BAKERY);
}

// The part with teeth: names.
async function names() {
  const { body: served } = await json(`${base}/_sandbox/fields`);
  for (const [node, list] of Object.entries(served)) {
    if (NO_CLASS[node]) continue;
    const fields = CLASSES[node]?.Fields;
    check(`the SDK has a class for ${node}`, fields !== undefined);
    const known = new Set(Object.values(fields ?? {}));
    for (const field of list) {
      const excused = NOT_IN_CLASS[node]?.[field] !== undefined;
      check(`${node}.${field} is a field of the SDK`, known.has(field) || excused);
    }
    for (const field of Object.keys(NOT_IN_CLASS[node] ?? {})) {
      check(`${node}.${field} is still missing in the SDK and still served`, !known.has(field) && list.includes(field));
    }
  }
  for (const node of Object.keys(NO_CLASS)) check(`${node} is still served`, served[node] !== undefined);
}

async function instagram() {
  const code = await codeFrom('www.instagram.com/oauth/authorize', {
    client_id: INSTAGRAM.id, redirect_uri: BACK, response_type: 'code', state: 's',
    scope: 'instagram_business_basic,instagram_business_manage_messages',
  });
  const form = new URLSearchParams({
    client_id: INSTAGRAM.id, client_secret: INSTAGRAM.secret, grant_type: 'authorization_code', redirect_uri: BACK, code,
  });
  const short = await json(`${base}/api.instagram.com/oauth/access_token`, { method: 'POST', body: form });
  const token = (short.body.data?.[0] ?? short.body).access_token;
  const fields = Object.values(sdk.IGUserForIGOnlyAPI.Fields).filter((field) => field !== 'website');
  const query = new URLSearchParams({ access_token: token, fields: fields.join(',') });
  const me = await json(`${base}/graph.instagram.com/v24.0/me?${query}`);
  check('every field of the SDK for Instagram Login is served', fields.every((field) => field in me.body), JSON.stringify(me.body));
  const apps = `${base}/graph.instagram.com/v24.0/me/subscribed_apps?access_token=${token}`;
  await json(`${apps}&subscribed_fields=messages`, { method: 'POST' });
  const list = await json(apps);
  const known = new Set(Object.values(sdk.IGUserSubscribedAppsData.Fields));
  check('the Instagram subscription has the fields of the SDK', Object.keys(list.body.data[0]).every((key) => known.has(key)));
}

Object.defineProperty(FacebookAdsApi, 'GRAPH', { get: () => base });
const before = await json(`${base}/_sandbox/switches`);
await control('switches', { conversations_per_second: 0, ig_me_wrapped: false });
try {
  const user = await userToken();
  const token = await pages(user);
  const { api, person } = await messaging(token);
  await feed(api);
  await media(api);
  await refusals(api, person);
  await debugToken(user);
  await batches(token);
  await names();
  await instagram();
} catch (error) {
  failures.push(`stopped: ${error.stack ?? error}`);
} finally {
  await control('switches', before.body);
}

console.log(JSON.stringify({
  sdk: FacebookAdsApi.SDK_VERSION,
  version: FacebookAdsApi.VERSION,
  checks,
  failures,
  without_class: NO_CLASS,
  without_field: NOT_IN_CLASS,
}, null, 2));
process.exitCode = failures.length > 0 ? 1 : 0;

/** Threads that hold every kind of message, a very long one, and one in Arabic: what the inbox has to draw without a core. */
import type { AttachmentView } from "@/gen/AttachmentView";
import type { Author } from "@/gen/Author";
import type { MessageView } from "@/gen/MessageView";
import type { Person } from "./people";
import { DAY, HOUR, MIN, now, START } from "./time";

const EVERY = 520;
const ARABIC = 521;
const LONG = 522;

const file = (kind: string, more: Partial<AttachmentView> = {}): AttachmentView => ({
  kind,
  media: null,
  name: null,
  mime: null,
  size: null,
  width: null,
  height: null,
  link: null,
  ...more,
});

function line(
  conversation: number,
  at: number,
  author: Author,
  agoMs: number,
  more: Partial<MessageView>,
): MessageView {
  const sent = START - agoMs;
  return {
    id: conversation * 1000 + at,
    sort_key: String(sent * 4 + at),
    conversation_id: conversation,
    author,
    text: null,
    sent_at_ms: sent,
    state: author === "customer" ? "received" : "sent",
    reason: null,
    leaves_at_ms: null,
    edited_at_ms: null,
    deleted: false,
    unsupported: false,
    reply_to: null,
    story: null,
    attachments: [],
    reactions: [],
    referral: null,
    ...more,
  };
}

const cake = file("image", { media: "t-wedding", mime: "image/jpeg", size: 812_000, width: 900, height: 1200 });
const sofa = file("image", { media: "t-bfc", mime: "image/jpeg", size: 640_000, width: 1200, height: 800 });

function every(): MessageView[] {
  const of = (at: number, author: Author, ago: number, more: Partial<MessageView>) =>
    line(EVERY, at, author, ago, more);
  return [
    of(1, "customer", 2 * DAY + 20 * HOUR, {
      text: "Oh this looks wonderful! Is it in the shop on Saturday?",
      story: { kind: "reply", media: "t-straw", expires_at_ms: START + 3 * HOUR },
      referral: { code: "ad", params: { label: "Erdbeerwochen im Mai" } },
    }),
    of(2, "automation", 2 * DAY + 20 * HOUR - MIN, {
      text: "Hello Wiebke, thank you for looking in! We answer messages Tuesday to Saturday, 6 to 18.",
      state: "delivered",
    }),
    of(3, "customer", 2 * DAY + 19 * HOUR, { text: "Are you open on Whit Monday?" }),
    of(4, "ai", 2 * DAY + 19 * HOUR - MIN, {
      text: "On Whit Monday we are closed. On Sunday we bake from 7 to 11.",
      state: "delivered",
    }),
    of(5, "you", DAY + 9 * HOUR, {
      text: "Good morning! Yes, from 7 on Saturday, about a dozen. Shall I put one aside?",
      state: "read",
    }),
    of(6, "customer", DAY + 5 * HOUR, {
      text: "Please do! Could you bake something like this for 60 people on 13 June?",
      attachments: [cake],
      reactions: [{ by: "us", emoji: "❤️", at_ms: START - DAY }],
    }),
    of(7, "phone", DAY + 4 * HOUR, {
      text: "What a lovely idea. I’ll ask our Konditorin tomorrow morning.",
      state: "read",
    }),
    of(8, "other_app", DAY + 3 * HOUR, { text: "Your order 1042 has been received.", state: "read" }),
    of(9, "customer", 9 * HOUR, { attachments: [sofa, cake, sofa] }),
    of(10, "customer", 9 * HOUR - MIN, { attachments: [file("image")] }),
    of(11, "customer", 8 * HOUR, { attachments: [file("audio", { media: "t-bfc", size: 48_000, mime: "audio/mp4" })] }),
    of(12, "customer", 8 * HOUR - MIN, {
      attachments: [file("video", { media: "t-bfc", name: "torte.mp4", size: 4_200_000, width: 720, height: 1280 })],
    }),
    of(13, "customer", 7 * HOUR, {
      attachments: [
        file("file", { name: "Schwarzwälderkirschtortenvorbestellungsbestätigung-Juni.pdf", size: 182_000 }),
      ],
    }),
    of(14, "customer", 6 * HOUR, {
      text: "So eine?",
      attachments: [file("share", { name: "Pfingstzopf mit Hagelzucker", link: "https://www.instagram.com/p/C9x1/" })],
    }),
    of(15, "customer", 5 * HOUR, { deleted: true }),
    of(16, "customer", 5 * HOUR - MIN, { unsupported: true }),
    of(17, "customer", 4 * HOUR, {
      text: "We look at https://example.org/wedding/ideas?page=2&from=shopbell#cake-and-flowers, and (www.example.com/a_(b)).\n\n  • three tiers\n  • <b>no</b> nuts",
      edited_at_ms: START - 3 * HOUR,
      reactions: [
        { by: "customer", emoji: "😍", at_ms: null },
        { by: "us", emoji: "👍", at_ms: null },
      ],
    }),
    of(18, "customer", 3 * HOUR, { text: "😍🎂" }),
    of(19, "customer", 2 * HOUR, { story: { kind: "mention", media: null, expires_at_ms: START - HOUR } }),
    of(20, "you", 50 * MIN, {
      text: "Three tiers, from € 390, fresh flowers included.",
      state: "sent",
      reply_to: {
        id: EVERY * 1000 + 6,
        sort_key: String((START - DAY - 5 * HOUR) * 4 + 6),
        author: "customer",
        preview: "Please do! Could you bake something like this for 60 people on 13 June?",
      },
    }),
    of(21, "you", 49 * MIN, {
      text: "We need your yes by Monday.",
      state: "failed",
      reason: { code: "person_unavailable", params: {} },
    }),
    of(22, "you", 48 * MIN, {
      text: "The deposit is 30 %.",
      state: "unknown",
      reason: { code: "no_answer", params: {} },
    }),
    of(23, "you", 30 * MIN, { text: "Flowers come from Freiburg.", state: "queued" }),
    of(24, "customer", 4 * MIN, {
      text: "Then yes! My mother-in-law’s club needs a written Schwarzwälderkirschtortenvorbestellungsbestätigung. Sorry, that is really the word.",
    }),
    of(25, "customer", 3 * MIN, { text: "And is the almond cream gluten-free?" }),
    of(26, "you", 0, { text: "It is, I will note it.", state: "scheduled", leaves_at_ms: now() + 60_000 }),
  ];
}

function arabic(): MessageView[] {
  const of = (at: number, author: Author, ago: number, more: Partial<MessageView>) =>
    line(ARABIC, at, author, ago, more);
  return [
    of(1, "customer", DAY + 8 * HOUR, { text: "مساء الخير، هل يمكنني طلب كعكة لعيد ميلاد ابنتي يوم السبت؟" }),
    of(2, "phone", DAY + 7 * HOUR, {
      text: "صباح النور! نعم، السبت الساعة 16:30 مناسب. أي كعكة تفضّلين؟",
      state: "read",
    }),
    of(3, "customer", DAY + 6 * HOUR, {
      text: "Die Schwarzwälder Kirschtorte, bitte ohne Alkohol!",
      reactions: [{ by: "us", emoji: "❤️", at_ms: null }],
    }),
    of(4, "customer", DAY + 5 * HOUR, { text: "وهل تكتبون الاسم بالعربية على الكعكة؟" }),
    of(5, "you", 3 * HOUR, { text: "بكل سرور. أرسلي لنا الاسم مكتوبًا كما تريدينه، من فضلك.", state: "delivered" }),
    of(6, "you", 2 * HOUR, { attachments: [sofa], state: "failed", reason: { code: "picture_too_large", params: {} } }),
    of(7, "customer", 40 * MIN, { text: "سارة 🎂 السعر على https://kornblume.example/torte من فضلكم؟" }),
  ];
}

function long(): MessageView[] {
  const words = [
    "Und am Montag?",
    "Ja, ab sieben.",
    "Zwei Laibe bitte, und vier Brezeln für den Verein, wie letzte Woche.",
    "Gern!",
  ];
  return Array.from({ length: 620 }, (_, at) =>
    line(LONG, at, at % 2 ? "customer" : "you", (620 - at) * 47 * MIN, {
      text: `${at + 1}. ${words[at % 4]}`,
      ...(at % 2 ? {} : { state: "read" as const }),
    }),
  );
}

export const extraMessages = new Map<number, MessageView[]>([
  [EVERY, every()],
  [ARABIC, arabic()],
  [LONG, long()],
]);

const base: Person = {
  id: EVERY,
  account: 11,
  channel: "instagram",
  name: "Wiebke Donnersmarck",
  username: "wiebke.d",
  picture: null,
  unread: 2,
  state: "open",
  lines: [],
  olderMissing: true,
};

export const extraPeople: Person[] = [
  base,
  {
    ...base,
    id: ARABIC,
    account: 12,
    channel: "messenger",
    name: "سارة المنصوري",
    username: null,
    unread: 1,
    olderMissing: false,
  },
  { ...base, id: LONG, name: "Turnverein Ebnet", username: "tv.ebnet", unread: 0, olderMissing: false },
];

/** The people who write to Bäckerei Kornblume, with what they last said. Ids are offset so that mix-ups show. */
import type { Author } from "@/gen/Author";
import type { Channel } from "@/gen/Channel";
import type { ConversationState } from "@/gen/ConversationState";
import type { MessageState } from "@/gen/MessageState";
import { DAY, HOUR, MIN } from "./time";

export interface Line {
  by: Author;
  text: string | null;
  /** Before now, ms. */
  ago: number;
  state?: MessageState;
  code?: string;
  picture?: { id: string; width: number; height: number };
  heart?: boolean;
  quotes?: number;
  deleted?: boolean;
}

export interface Person {
  id: number;
  account: number;
  channel: Channel;
  name: string | null;
  username: string | null;
  picture: string | null;
  unread: number;
  state: ConversationState;
  lines: Line[];
  draft?: string;
  olderMissing?: boolean;
  humanAgent?: boolean;
}

const c = (ago: number, text: string, more: Partial<Line> = {}): Line => ({ by: "customer", text, ago, ...more });
const y = (ago: number, text: string | null, state: MessageState = "read", more: Partial<Line> = {}): Line => ({
  by: "you",
  text,
  ago,
  state,
  ...more,
});
const IG = { account: 11, channel: "instagram" as const };
const FB = { account: 12, channel: "messenger" as const };

export const people: Person[] = [
  {
    id: 501,
    ...IG,
    name: "Mateo Ibáñez Carrasco",
    username: "mateo.ibanez",
    picture: "p-mateo",
    unread: 2,
    state: "open",
    lines: [
      c(3 * DAY, "Hola, ¿hacéis envíos a Emmendingen?"),
      y(3 * DAY - 2 * HOUR, "Hola Mateo, sí, los viernes por la tarde."),
      c(23 * HOUR + 28 * MIN, "Perfecto, gracias."),
      c(23 * HOUR + 26 * MIN, "¿Tenéis ensaimadas mañana o las encargo hoy?"),
    ],
  },
  {
    id: 502,
    ...FB,
    name: "ليلى الحداد",
    username: null,
    picture: "p-layla",
    unread: 1,
    state: "open",
    lines: [
      c(2 * DAY, "صباح الخير، هل عندكم كعكة بالفستق؟"),
      { by: "phone", text: "صباح النور! نعم، يوم السبت من الثامنة.", ago: 2 * DAY - HOUR, state: "delivered" },
      c(22 * HOUR + 10 * MIN, "هل يمكنني استلام كعكة عيد الميلاد قبل الساعة الخامسة؟"),
    ],
  },
  {
    id: 503,
    ...IG,
    name: "高橋 由紀",
    username: "yuki.takahashi",
    picture: "p-yuki",
    unread: 0,
    state: "open",
    lines: [
      c(5 * DAY, "こんにちは。駐車場はありますか。"),
      y(5 * DAY - HOUR, "Ja, zwei Plätze im Hof."),
      c(112 * MIN, "土曜日にサワードウを二つお願いできますか。"),
    ],
  },
  {
    id: 504,
    ...IG,
    name: "Hannah Voss",
    username: "hannah.voss",
    picture: "p-hannah",
    unread: 0,
    state: "open",
    draft: "The almond cream is made without flour.",
    lines: [
      c(9 * DAY, "Hi! Do you make wedding cakes for about 60 people?"),
      y(9 * DAY - 20 * MIN, "Hello Hannah, congratulations! We do. When is the day?"),
      c(
        9 * DAY - 25 * MIN,
        "13 June, in Staufen. My sister cannot have gluten, so one tier without would be wonderful.",
        { heart: true },
      ),
      y(7 * HOUR, "She would love to! Three tiers, from € 390, fresh flowers included. We need your yes by Monday."),
      y(6 * HOUR + 50 * MIN, null, "failed", {
        code: "picture_too_large",
        picture: { id: "t-bfc", width: 264, height: 176 },
      }),
      c(
        8 * MIN,
        "Then yes! My mother-in-law’s club needs a written Schwarzwälderkirschtortenvorbestellungsbestätigung. Sorry, that is really the word.",
      ),
      c(6 * MIN, "And is the almond cream gluten-free?", { quotes: 3 }),
    ],
  },
  {
    id: 505,
    ...FB,
    name: "Karl-Heinz Großmann",
    username: null,
    picture: null,
    unread: 0,
    state: "open",
    humanAgent: true,
    draft: "Sehr geehrter Herr Großmann,",
    lines: [
      y(4 * DAY, "Die Rechnung kommt am Montag."),
      c(44 * HOUR, "Die Rechnung für die Betriebsfeier ist noch nicht da. Können Sie bitte nachsehen?"),
    ],
  },
  {
    id: 506,
    ...IG,
    name: "Jonas Weidenhammer",
    username: "jonas.radwerk",
    picture: "p-jonas",
    unread: 0,
    state: "open",
    lines: [
      c(4 * HOUR, "Moin! Zehn Brezeln für morgen früh, geht das noch?"),
      y(160 * MIN, "Danke, die Brezeln sind reserviert.", "failed", { code: "recipient_unavailable" }),
    ],
  },
  {
    id: 507,
    ...FB,
    name: "Aurélie Ouédraogo",
    username: null,
    picture: null,
    unread: 0,
    state: "open",
    lines: [
      c(5 * HOUR, "Bonjour, livrez-vous à Gundelfingen ?"),
      y(5 * HOUR - 4 * MIN, "Bonjour Aurélie, oui, dès 30 €.", "unknown", { code: "no_answer" }),
    ],
  },
  {
    id: 508,
    ...IG,
    name: null,
    username: null,
    picture: null,
    unread: 0,
    state: "open",
    olderMissing: true,
    lines: [y(10 * DAY, "Gladly! We will hold the date."), c(9 * DAY, "ok thanks, maybe next month then")],
  },
  {
    id: 509,
    ...IG,
    name: "Sofía Herrera",
    username: "sofia.herrera",
    picture: "p-sofia",
    unread: 0,
    state: "open",
    lines: [
      c(21 * HOUR, "¡Hola! Do you still make the small nut cakes from last year?"),
      y(20 * HOUR, "We do, from Friday!", "read"),
    ],
  },
  {
    id: 510,
    ...FB,
    name: "Evangelia Voulgaridou",
    username: null,
    picture: null,
    unread: 0,
    state: "open",
    lines: [
      c(8 * HOUR, "Καλημέρα! Is the almond biscotti vegan?"),
      y(6 * HOUR, "The deposit has arrived, thank you!", "delivered"),
    ],
  },
  {
    id: 511,
    ...IG,
    name: "Zoë van den Heuvel-Rademakers",
    username: "zoe.vdh",
    picture: null,
    unread: 0,
    state: "resolved",
    lines: [c(3 * DAY, "Super lekker, dank je wel! ❤️"), y(3 * DAY - HOUR, "Graag gedaan!")],
  },
];

const GIVEN = ["Anna", "Luis", "Fatima", "Kenji", "Marie", "Omar", "Ivana", "Jürgen", "Noor", "Petra", "Diego", "Aiko"];
const FAMILY = ["Albrecht", "Schäfer", "García", "佐藤", "Benali", "Novak", "Öztürk", "Lindqvist", "Moreau", "Fischer"];
const WORDS = [
  "Habt ihr morgen noch Roggenbrot?",
  "Danke, es hat wunderbar geschmeckt.",
  "What time do you open on Sunday?",
  "Könnt ihr mir zwei Hefezöpfe zurücklegen?",
  "¿Cuánto cuesta la tarta de queso?",
  "هل المخبز مفتوح يوم الجمعة؟",
];

/** Enough further people that the list has to scroll. */
for (let at = 0; at < 240; at++) {
  const ago = 12 * DAY + at * 7 * HOUR;
  const words = WORDS[at % WORDS.length] ?? "";
  const done = at % 3 === 0;
  people.push({
    id: 600 + at,
    ...(at % 2 ? IG : FB),
    name: `${GIVEN[at % GIVEN.length]} ${FAMILY[(at * 7) % FAMILY.length]}`,
    username: at % 2 ? `kunde.${600 + at}` : null,
    picture: null,
    unread: 0,
    state: done ? "resolved" : "open",
    lines: [c(ago + HOUR, words), y(ago, "Gerne, bis dann!", at % 2 ? "read" : "delivered")],
  });
}

//! German.

use super::{DeletionWords, Words};

pub(super) static WORDS: Words = Words {
    lang: "de",
    dir: "ltr",
    yes: "{p} hat zugestimmt.",
    connect_title: "Mit dem Shopbell verbinden, das diese Zahl zeigt",
    connect_say: "Schauen Sie auf Shopbell auf Ihrem Computer. Zeigt es {n}, ist es Ihres und Sie können weitermachen.",
    connect_button: "Verbinden, meins zeigt {n}",
    other_button: "Es zeigt etwas anderes",
    may_ask: "Ihr Browser fragt vielleicht, ob er Shopbell öffnen darf. Sagen Sie ja.",
    code_title: "Nichts passiert? Den Code benutzen",
    copy: "Kopieren",
    copied: "Kopiert",
    code_say: "Fügen Sie ihn in Shopbell ein, dort wo es auf Ihren Browser wartet. Er gilt einmal,",
    code_minutes: "fünf Minuten lang",
    code_until: "bis {t}",
    code_never: "Niemand wird Sie je nach diesem Code fragen.",
    code_never_more: "Wir nicht, Meta nicht, niemand am Telefon. Wer danach fragt, will Ihr Konto.",
    other_done: "Es wurde nichts verbunden.",
    other_title: "Dann ist diese Seite nicht für Sie",
    other_say: "Entweder haben Sie zweimal begonnen und dies ist die ältere Seite, oder jemand hat Ihnen diesen Link geschickt, um an Ihr Konto zu kommen. Schließen Sie sie. Wenn Sie sichergehen wollen, öffnen Sie {p}, Einstellungen, Website-Berechtigungen, und entfernen Sie Shopbell dort.",
    back: "Zurück",
    partial_done: "{p} hat {a} von {b} Dingen zugestimmt.",
    partial_title_messages: "Ohne Nachrichten bleibt der Posteingang leer",
    partial_title: "Einiges wurde nicht angekreuzt",
    partial_say: "Sie können weitermachen und den Rest später ankreuzen oder {p} jetzt noch einmal fragen.",
    partial_again: "{p} noch einmal fragen",
    partial_go_on: "Ohne weitermachen",
    may: [
        "Name und Bild Ihres Kontos",
        "Nachrichten lesen und beantworten",
        "Kommentare lesen und beantworten",
        "Zahlen",
        "Veröffentlichen",
        "Ihre Seiten finden",
    ],
    nothing_connected: "Es wurde nichts verbunden.",
    back_to_app: "Zurück zu Shopbell",
    reason: "Für den Support:",
    denied: (
        "Sie haben nein gesagt, das ist in Ordnung",
        "Es wurde nichts gelesen und nichts gespeichert. War es ein Versehen, gehen Sie zu Shopbell zurück und drücken noch einmal auf Verbinden.",
    ),
    expired: (
        "Das hat länger als zehn Minuten gedauert",
        "Zu Ihrer Sicherheit bleibt eine begonnene Anmeldung nicht offen. Gehen Sie zu Shopbell zurück und drücken noch einmal auf Verbinden.",
    ),
    replayed: (
        "Diese Seite wurde schon benutzt",
        "Jede Anmeldung öffnet diese Seite einmal. Wartet Shopbell noch, drücken Sie dort auf Erneut öffnen; ist es schon verbunden, schließen Sie diese Seite.",
    ),
    other_browser: (
        "Diese Anmeldung begann in einem anderen Browser",
        "Entweder wurde die Seite in einem anderen Browser geöffnet, oder jemand hat Ihnen einen Link geschickt. Schließen Sie sie und drücken Sie in Shopbell auf Ihrem eigenen Computer auf Verbinden.",
    ),
    wrong: (
        "Dieser Link gehört zu keiner Anmeldung",
        "Er ist unvollständig oder wurde unterwegs verändert. Schließen Sie diese Seite und drücken Sie in Shopbell noch einmal auf Verbinden.",
    ),
    dialog_failed: (
        "Die Anmeldeseite hatte einen Fehler",
        "Meta hat die Anmeldung mit einem eigenen Fehler beendet. Gehen Sie zu Shopbell zurück und versuchen Sie es in einer Minute noch einmal.",
    ),
    not_set_up: (
        "Dieses Relay ist für diese Anmeldung nicht eingerichtet",
        "Wer dieses Relay betreibt, muss zuerst Kennung und Geheimnis der App eintragen. Wählen Sie in Shopbell die andere Anmeldung oder fragen Sie dort nach.",
    ),
    fault: (
        "Das Relay hatte einen Fehler",
        "Sie haben nichts falsch gemacht. Gehen Sie zu Shopbell zurück und versuchen Sie es in einer Minute noch einmal.",
    ),
    deletion: DeletionWords {
        done: "Ihre Anfrage ist angekommen.",
        title: "Löschen Ihrer Daten",
        erased: "Am {d} hat dieses Relay alles gelöscht, was es über Sie hatte: welches Konto zu welchem Computer geht, Ihre Nutzerkennung hier, Ereignisse, die auf Ihre Computer warteten, und die Adressen, an die Ihr Shop meldete, falls kein Konto übrig ist.",
        nobody: "Über diese Anmeldung war kein Computer verbunden, es war also niemand sonst zu benachrichtigen.",
        told: "Benachrichtigte Computer: {n}.",
        computer: "Computer {n}",
        waits: "benachrichtigt, hat noch nicht geantwortet",
        wiped: "hat die Daten gelöscht",
        keeps: "der Inhaber behält die Daten",
        why: "Nachrichten liegen auf den eigenen Computern des Inhabers und nicht hier. Niemand kann sie dort von außen löschen; Shopbell fragt den Inhaber, der dreißig Tage Zeit hat. Ohne Antwort bleiben sie.",
        code: "Bestätigungscode:",
        unknown: (
            "Es wurde nichts gefunden.",
            "Zu diesem Code gibt es keine Anfrage",
            "Die Adresse ist unvollständig, oder die Anfrage ging an ein anderes Relay.",
        ),
    },
    foot: "Diese Seite gehört zu {h}. Sie reicht Metas Antwort an Ihren Computer weiter und behält kein Token, keinen Namen und keine Nachricht, die jemand lesen könnte.",
    foot_more: "Was hier genau durchläuft",
    passes_title: "Was hier genau durchläuft",
    passes: &[
        (
            "Im Arbeitsspeicher, für den Augenblick",
            &[
                "Metas Antwort auf Ihre Anmeldung und die Token darin, bis sie für Ihren Computer versiegelt sind.",
                "Ein Token, das Ihr Computer vorzeigt, um zu belegen, dass er noch für ein Konto handeln darf.",
            ],
        ),
        (
            "Behalten",
            &[
                "Die versiegelte Antwort auf Ihre Anmeldung fünf Minuten lang, damit eine verlorene Verbindung keine verlorene Anmeldung ist. Nur Ihr Computer kann sie öffnen.",
                "Kennungen Ihrer Konten und Ihre Nutzerkennung bei dieser App, damit ein Entfernungswunsch von Meta sie findet.",
                "Die öffentlichen Schlüssel Ihrer Computer, welches Konto zu welchem Computer geht, und Zeiten. Ein Computer, der 30 Tage schweigt, wird vergessen.",
            ],
        ),
        (
            "Nie behalten",
            &[
                "Token.",
                "Namen von Menschen.",
                "Nachrichten oder Kommentare in lesbarer Form.",
            ],
        ),
    ],
};

//! The frame around every page: head, brand, foot, drawings. Icons: Lucide (ISC); the bell was drawn for Shopbell.

/// Parts of a page. `body`, `foot` and `more` are HTML already; `title` is text.
pub(super) struct Html<'a> {
    pub(super) lang: &'a str,
    pub(super) dir: &'a str,
    pub(super) title: &'a str,
    pub(super) css: &'a str,
    pub(super) script: &'a str,
    pub(super) body: &'a str,
    pub(super) foot: &'a str,
    pub(super) more: &'a str,
}

impl Html<'_> {
    pub(super) fn render(&self) -> String {
        let Self {
            lang,
            dir,
            css,
            script,
            body,
            foot,
            more,
            ..
        } = self;
        let title = escape(self.title);
        format!(
            "<!doctype html>\n<html lang=\"{lang}\" dir=\"{dir}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{title} · Shopbell</title>\n<style>{css}</style>\n</head>\n<body>\n<main class=\"relay\">\n\
             <p class=\"relay__brand\">{BELL}Shopbell</p>\n<div class=\"relay__faces\">{body}</div>\n\
             <footer class=\"relay__foot\"><p>{foot}</p><p><a class=\"link\" href=\"/passes\" target=\"_blank\" rel=\"noopener noreferrer\">{more}</a></p></footer>\n\
             </main>\n{SPRITE}\n<script>{script}</script>\n</body>\n</html>\n"
        )
    }
}

/// Text inside HTML or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            _ => out.push(c),
        }
    }
    out
}

/// A drawing of the sprite.
pub(super) fn icon(name: &str, class: &str) -> String {
    format!(r##"<svg class="{class}" aria-hidden="true"><use href="#{name}"/></svg>"##)
}

const BELL: &str = r##"<svg viewBox="0 0 64 64" role="img" aria-label="Shopbell"><rect width="64" height="64" rx="14.5" fill="#262019"/><path d="M13 11.5h38" stroke="#8f8472" stroke-width="4" stroke-linecap="round"/><path d="M32 12.5v8" stroke="#c9bca4" stroke-width="4" stroke-linecap="round"/><path d="M32 19.5c-9 0-14.2 6-14.2 14 0 5.6-1.7 8.1-4.2 10.5-1.5 1.5-.5 3.8 1.6 3.8h33.6c2.1 0 3.1-2.3 1.6-3.8-2.5-2.4-4.2-4.9-4.2-10.5 0-8-5.2-14-14.2-14z" fill="#e6a733"/><path d="M26 51a6 6 0 0 0 12 0z" fill="#b4780c"/><path d="M23.8 33.5c0-5 2.6-8.2 6.6-9" fill="none" stroke="#fae3ad" stroke-width="3" stroke-linecap="round"/></svg>"##;

const SPRITE: &str = r##"<svg width="0" height="0" aria-hidden="true"><symbol id="circle-check" viewBox="0 0 24 24"><circle cx="12" cy="12" r="10" /><path d="m16 9-5.5 5.5L8 12" /></symbol><symbol id="circle-x" viewBox="0 0 24 24"><circle cx="12" cy="12" r="10" /><path d="m15 9-6 6" /><path d="m9 9 6 6" /></symbol><symbol id="copy" viewBox="0 0 24 24"><rect width="14" height="14" x="8" y="8" rx="2" ry="2" /><path d="M4 16c-1.1 0-2-.9-2-2V4c0-1.1.9-2 2-2h10c1.1 0 2 .9 2 2" /></symbol><symbol id="triangle-alert" viewBox="0 0 24 24"><path d="m21.73 18-8-14a2 2 0 0 0-3.48 0l-8 14A2 2 0 0 0 4 21h16a2 2 0 0 0 1.73-3" /><path d="M12 9v4" /><path d="M12 17h.01" /></symbol></svg>"##;

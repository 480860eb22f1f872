//! Markup that is balanced and escaped by construction. SVG is made of it too.

use std::fmt::{Display, Write as _};

/// Finished markup. Text becomes markup only by being escaped.
#[derive(Default)]
pub(super) struct Html(String);

impl Html {
    /// `text`, escaped.
    pub(super) fn text(text: impl Display) -> Self {
        let text = text.to_string();
        let mut escaped = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                // HTML knows no control characters but these; a file with others is not one.
                '\n' | '\t' => escaped.push(c),
                c if c.is_control() => escaped.push('\u{fffd}'),
                c => escaped.push(c),
            }
        }
        Self(escaped)
    }

    /// `<tag>content</tag>` with content of our own that is not text: the page's style.
    pub(super) fn trusted(name: &'static str, content: &'static str) -> Self {
        Self(format!("<{name}>{content}</{name}>"))
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "markup is handed on, not shared: callers build it in place"
    )]
    pub(super) fn push(&mut self, more: Self) {
        self.0.push_str(&more.0);
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl From<&str> for Html {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Html {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Self>>(parts: I) -> Self {
        let mut all = Self::default();
        for part in parts {
            all.push(part);
        }
        all
    }
}

impl<const N: usize> From<[Html; N]> for Html {
    fn from(parts: [Self; N]) -> Self {
        parts.into_iter().collect()
    }
}

/// `<tag>content</tag>`.
pub(super) fn tag(name: &'static str, content: impl Into<Html>) -> Html {
    tag_with(name, &[], content)
}

/// `<tag class="…">content</tag>`.
pub(super) fn classed(name: &'static str, class: &str, content: impl Into<Html>) -> Html {
    tag_with(name, &[("class", class)], content)
}

/// `<tag name="value" …>content</tag>`, values escaped; an attribute without a value is left out.
pub(super) fn tag_with(
    name: &'static str,
    attributes: &[(&'static str, &str)],
    content: impl Into<Html>,
) -> Html {
    let mut text = format!("<{name}");
    for (attribute, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(text, " {attribute}=\"{}\"", Html::text(value).0); // writing to a String cannot fail
    }
    let _ = write!(text, ">{}</{name}>", content.into().0); // writing to a String cannot fail
    Html(text)
}

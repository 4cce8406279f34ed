// Parts of pages from the server; sets window.htmx. What the strict CSP forbids is switched off in base.html.
import "htmx.org";

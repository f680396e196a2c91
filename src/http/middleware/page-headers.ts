import type { Middleware } from "koa";

/** How pages for customers may behave. */
export interface PageHeaderOptions {
  /** Whether the page's form leads on to payment pages elsewhere: browsers apply form-action to where it redirects too. */
  readonly mayLeadElsewhere: "no" | "https" | "http";
}

const FORM_ACTION = { no: "'self'", https: "'self' https:", http: "'self' https: http:" } as const;

/** Headers of every answer to customers' browsers: nothing from elsewhere, nothing inline, no trace of the link. */
export function pageHeaders({ mayLeadElsewhere }: PageHeaderOptions): Middleware {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    `form-action ${FORM_ACTION[mayLeadElsewhere]}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return async function pageHeadersMiddleware(ctx, next) {
    ctx.set({
      "Content-Security-Policy": policy,
      "Referrer-Policy": "no-referrer",
      "X-Frame-Options": "DENY",
      "X-Robots-Tag": "noindex, nofollow",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    });
    await next();
  };
}

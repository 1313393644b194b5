# The engine and its command line, on the PostgreSQL that DATABASE_URL names.
# Packages come from the lock file alone; the image holds no compiler, no development package and no PostgreSQL.

FROM node:22-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY server/package.json server/
COPY cli/package.json cli/
COPY worker-sdk/package.json worker-sdk/
COPY eslint-plugin/package.json eslint-plugin/
COPY web/package.json web/
# nothing but the package.json of each, see .dockerignore: npm wants to know every workspace
COPY examples examples

FROM packages AS build
RUN npm ci --workspace=@perdure/server --workspace=perdure --include-workspace-root
COPY tsconfig.base.json ./
COPY server server
COPY cli cli
COPY scripts/bundle.mjs scripts/
RUN node_modules/.bin/tsc -b server cli && node scripts/bundle.mjs && find server cli -name '*.tsbuildinfo' -delete -o -name '*.d.ts' -not -path '*/node_modules/*' -delete -o -name '*.js.map' -not -path '*/node_modules/*' -delete

FROM packages AS runtime
# optional packages are the embedded PostgreSQL, which has no use beside a real one
RUN npm ci --omit=dev --omit=optional --workspace=@perdure/server --workspace=perdure \
 && find . -type f -path '*/node_modules/*' \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' -o -name '*.md' -o -name '*.ts' \) -not -iname 'license*' -delete

FROM node:22-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production PERDURE_GRPC_HOST=0.0.0.0 PERDURE_HTTP_HOST=0.0.0.0 PERDURE_LOG_FORMAT=json
COPY --from=runtime /app/node_modules node_modules
COPY --from=runtime /app/server server
COPY --from=runtime /app/cli cli
COPY --from=build /app/server/dist server/dist
COPY --from=build /app/cli/dist cli/dist
COPY cli/bin cli/bin
COPY LICENSE ./
COPY migrations migrations
COPY proto proto
USER node
EXPOSE 7233 8233
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["node", "/app/cli/bin/perdure.js", "server", "health"]
ENTRYPOINT ["node", "/app/cli/bin/perdure.js"]
CMD ["server", "start"]

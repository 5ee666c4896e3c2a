// Sends two spans with one of OpenTelemetry's JavaScript exporters: KIND URL COMPRESSION SERVICE.
// Prints the id of their trace; exits with 1 when the exporter says that it failed.
"use strict";

const { SpanKind, trace, context } = require("@opentelemetry/api");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BasicTracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace-base");

const [kind, url, compression, service] = process.argv.slice(2);
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${kind}`);

const exporter = new OTLPTraceExporter({ url, compression });
const results = [];
const watched = {
  export: (spans, done) => exporter.export(spans, (result) => { results.push(result); done(result); }),
  shutdown: () => exporter.shutdown(),
  forceFlush: () => exporter.forceFlush?.(),
};
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": service }),
  spanProcessors: [new BatchSpanProcessor(watched)],
});
const tracer = provider.getTracer("test");
const outer = tracer.startSpan("outer", {
  kind: SpanKind.SERVER,
  attributes: { text: "grüße", number: 7, ratio: 0.5, yes: true, list: ["a", "b"] },
});
tracer.startSpan("inner", {}, trace.setSpan(context.active(), outer)).end();
outer.end();
provider.shutdown().then(() => {
  console.log(outer.spanContext().traceId);
  const failed = results.find((result) => result.code !== 0);
  if (failed !== undefined || results.length === 0) {
    console.error(failed?.error ?? "nothing was exported");
    process.exit(1);
  }
});

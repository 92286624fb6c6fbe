using Mavi.Hosting;
using Mavi.Sandbox;

return args is [HealthCheck.Verb] ? await HealthCheck.AskAsync("/health/live", SandboxApp.DefaultUrl) : await SandboxApp.RunAsync(args);

using Mavi.CallbackGateway;
using Mavi.Hosting;

return args is [HealthCheck.Verb] ? await HealthCheck.AskAsync("/health/ready", GatewayApp.DefaultUrl) : await GatewayApp.RunAsync(args);
